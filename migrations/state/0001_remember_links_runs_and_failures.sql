-- What rosterd remembers between runs. Never a name, phone or password as a value of its own:
-- values are kept as keyed fingerprints; login values are kept, because candidates are found by them.
-- All instants are UTC milliseconds since 1970.

-- Small facts by name: the memory key, field numbers by label, the schedule's next due moment.
CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
    run_id         INTEGER PRIMARY KEY AUTOINCREMENT,
    trigger        TEXT NOT NULL,
    mode           TEXT NOT NULL,
    started_at_ms  INTEGER NOT NULL,
    finished_at_ms INTEGER,
    outcome        TEXT CHECK (outcome IN ('converged', 'applied', 'incomplete', 'held', 'failed', 'planned')),
    exit_code      INTEGER,
    listing_complete INTEGER NOT NULL DEFAULT 0,
    report         TEXT
) STRICT;

CREATE TABLE links (
    student_id       TEXT PRIMARY KEY,
    sid              INTEGER NOT NULL UNIQUE,
    login_value      TEXT NOT NULL,
    origin           TEXT NOT NULL CHECK (origin IN ('added', 'adopted')),
    confirmed        BLOB NOT NULL,
    unverified       TEXT NOT NULL DEFAULT '[]',
    rewritten        TEXT NOT NULL DEFAULT '[]',
    written_run      INTEGER NOT NULL,
    gids             TEXT,
    groups_due_at_ms INTEGER NOT NULL,
    gone_since_ms    INTEGER,
    gone_runs        INTEGER NOT NULL DEFAULT 0,
    linked_at_ms     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX links_by_login_value ON links (login_value);
CREATE INDEX links_by_groups_due ON links (groups_due_at_ms);

-- Intent: what was about to be sent. A row that outlives its run is a call whose answer was lost.
CREATE TABLE intents (
    service    TEXT NOT NULL,
    kind       TEXT NOT NULL,
    student_id TEXT NOT NULL,
    class_key  TEXT NOT NULL DEFAULT '',
    run_id     INTEGER NOT NULL REFERENCES runs (run_id),
    batch      INTEGER NOT NULL,
    want       INTEGER NOT NULL,
    -- For an add: the login value that was sent, because the roster may have another one by the next run.
    login_value TEXT,
    sent_at_ms INTEGER NOT NULL,
    PRIMARY KEY (service, kind, student_id, class_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE failures (
    failure_id      INTEGER PRIMARY KEY AUTOINCREMENT,
    service         TEXT NOT NULL CHECK (service IN ('exam', 'classin')),
    kind            TEXT NOT NULL,
    student_id      TEXT NOT NULL,
    class_code      TEXT NOT NULL DEFAULT '',
    state           TEXT NOT NULL CHECK (state IN ('waiting', 'dead', 'ignored', 'resolved', 'superseded')),
    call            TEXT NOT NULL,
    code            TEXT NOT NULL,
    message         TEXT NOT NULL,
    service_text    TEXT,
    batch           INTEGER,
    item_index      INTEGER,
    attempts        INTEGER NOT NULL,
    first_failed_at_ms INTEGER NOT NULL,
    last_failed_at_ms  INTEGER NOT NULL,
    due_at_ms       INTEGER NOT NULL,
    want            INTEGER NOT NULL,
    run_id          INTEGER NOT NULL REFERENCES runs (run_id),
    closed_at_ms    INTEGER
) STRICT;

-- One open failure for one thing that is wanted of one student.
CREATE UNIQUE INDEX failures_open ON failures (service, kind, student_id, class_code)
    WHERE state IN ('waiting', 'dead', 'ignored');

-- Deletes (and moves of leavers), so that the guard's limit can look back.
CREATE TABLE departures (
    student_id TEXT NOT NULL,
    service    TEXT NOT NULL,
    at_ms      INTEGER NOT NULL,
    approved   INTEGER NOT NULL,
    PRIMARY KEY (student_id, service, at_ms)
) STRICT, WITHOUT ROWID;

CREATE INDEX departures_by_time ON departures (service, at_ms);

-- What was held under which digest, so that an approval covers just that.
CREATE TABLE held_operations (
    digest     TEXT NOT NULL,
    service    TEXT NOT NULL,
    kind       TEXT NOT NULL,
    student_id TEXT NOT NULL,
    class_code TEXT NOT NULL DEFAULT '',
    want       INTEGER NOT NULL,
    held_at_ms INTEGER NOT NULL,
    approved_until_ms INTEGER,
    PRIMARY KEY (digest, service, kind, student_id, class_code)
) STRICT, WITHOUT ROWID;

-- ClassIn cannot be read back: this is the only memory of who is in which class, with its evidence.
-- class_id 0 stands for the whole course.
CREATE TABLE enrolments (
    uid           INTEGER NOT NULL,
    course_id     INTEGER NOT NULL,
    class_id      INTEGER NOT NULL,
    student_id    TEXT NOT NULL,
    evidence      TEXT NOT NULL CHECK (evidence IN ('added', 'present', 'unknown', 'presumed', 'removing')),
    code          INTEGER,
    changed_at_ms INTEGER NOT NULL,
    run_id        INTEGER NOT NULL REFERENCES runs (run_id),
    gone_since_ms INTEGER,
    gone_runs     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (course_id, class_id, uid)
) STRICT, WITHOUT ROWID;

CREATE INDEX enrolments_by_student ON enrolments (student_id);

-- Classes and courses that cannot be changed any more, until their ids change on the roster.
CREATE TABLE condemned_classes (
    course_id INTEGER NOT NULL,
    class_id  INTEGER NOT NULL,
    code      INTEGER NOT NULL,
    message   TEXT NOT NULL,
    at_ms     INTEGER NOT NULL,
    run_id    INTEGER NOT NULL REFERENCES runs (run_id),
    PRIMARY KEY (course_id, class_id)
) STRICT, WITHOUT ROWID;
