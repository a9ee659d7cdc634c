# `just` lists the recipes; `just check` is what CI runs.

default:
    @just --list

# Everything that must hold before a change lands
check:
    bash .ci/run

# The tests
test:
    cargo test --workspace --locked

# A rehearsal with made-up people against both services simulated in this process
demo:
    cargo run --release -- --config config/demo.toml --sync-now

# Format and lints
lint:
    bash .ci/run formatted lints

# The documentation, private items included
doc:
    bash .ci/run documentation

# Processor time, memory and requests of whole runs beside two Python scripts; sizes, and `--latency MS`
bench *args="10000 100000":
    cargo bench --locked --bench sync -- {{args}}

# The benchmarks of single parts: diff and plan, files of any size
bench-parts:
    cargo bench --locked --bench planner --bench import

# Units, image and what came into the tree
deploy:
    bash .ci/run units_are_accepted_by_systemd dependencies
    cargo test --locked --test it deploy::

# Kills the program at random instants, so often
kills count="500":
    ROSTERD_KILLS={{count}} cargo test --locked --test kills -- --nocapture

# The daemon under troubles that come and go, for so many seconds: was a run missed, has anything grown?
soak seconds="3600":
    ROSTERD_SOAK={{seconds}} cargo test --locked --test soak -- --nocapture

# The daemon over both changes of the clocks, under a clock that is moved; needs libfaketime
prove-clock:
    cargo build --locked
    tests/clock/run target/debug/rosterd

# The Debian packages, from this source
packages:
    bash .ci/run packages

# A day with the packages in a fresh Debian root with its own systemd; needs root and mmdebstrap
prove-booted: packages
    bash .ci/run booted_day

# The image, built and run by a container engine that is started for it; needs root, docker.io and docker-compose
prove-image: packages
    bash .ci/run container

# The state replicated by Litestream, lost and restored
prove-litestream:
    cargo build --locked
    tests/litestream/run target/debug/rosterd

# The program that ships, built twice in two folders: the same bytes? About twenty minutes
prove-reproducible:
    tests/supply/reproducible

# What the program is made of (CycloneDX), written to target/sbom; installs cargo-cyclonedx where it is missing
prove-sbom:
    tests/supply/sbom

# The manifests for Kubernetes against its schemas
prove-kubernetes:
    tests/kubernetes/run

# Drives the whole engine at random, so many steps
drive steps="2000":
    ROSTERD_STEPS={{steps}} cargo test --locked --test engine_model -- --nocapture whatever

# Small changes to planner, guard and outcomes: does a test notice? About an hour
mutants *args:
    tests/mutation/run {{args}}

# Fuzzes one target guided by coverage, on the stable compiler; builds everything a second time
fuzz target="exam_writes" seconds="180":
    bash fuzz/run {{target}} {{seconds}}
