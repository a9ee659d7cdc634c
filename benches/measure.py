#!/usr/bin/env python3
"""Runs a command and prints `user system peak_kB wall` of it as its last line on standard error.

    measure.py COMMAND [ARGUMENT …]

The kernel's own figures of the ended process: what is sampled while it runs misses its end.
"""

import os
import sys
import time

started = time.monotonic()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(child, 0)
wall = time.monotonic() - started
print(f"{used.ru_utime:.3f} {used.ru_stime:.3f} {used.ru_maxrss} {wall:.3f}", file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
