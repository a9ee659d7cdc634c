-- What is withheld, and what is held about single people, stands among the failures without having been tried. What is
-- held is stored once, however many runs find it; what a person approved stands apart from it.

-- A CHECK cannot be altered, so the table is built anew with every row it had.
DROP VIEW open_failures;

CREATE TABLE failures_anew (
    failure_id      INTEGER PRIMARY KEY AUTOINCREMENT,
    service         TEXT NOT NULL CHECK (service IN ('exam', 'classin', 'roster')),
    kind            TEXT NOT NULL,
    student_id      TEXT NOT NULL,
    class_code      TEXT NOT NULL DEFAULT '',
    state           TEXT NOT NULL CHECK (state IN ('waiting', 'dead', 'ignored', 'held', 'resolved', 'superseded')),
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
    closed_at_ms    INTEGER,
    contact         INTEGER,
    contact_form    TEXT NOT NULL DEFAULT 'apart'
        CHECK (contact_form IN ('apart', 'mixed', 'perhaps mixed') AND (contact_form = 'apart' OR contact IS NULL)),
    -- 1: withheld, or held about single people. Nothing was tried, and it keeps nothing from being tried.
    is_standing     INTEGER NOT NULL DEFAULT 0 CHECK (is_standing IN (0, 1) AND (state <> 'held' OR is_standing = 1))
) STRICT;

INSERT INTO failures_anew
    (failure_id, service, kind, student_id, class_code, state, call, code, message, service_text, batch, item_index,
     attempts, first_failed_at_ms, last_failed_at_ms, due_at_ms, want, run_id, closed_at_ms, contact, contact_form)
SELECT failure_id, service, kind, student_id, class_code, state, call, code, message, service_text, batch, item_index,
       attempts, first_failed_at_ms, last_failed_at_ms, due_at_ms, want, run_id, closed_at_ms, contact, contact_form
FROM failures;

DROP TABLE failures;
ALTER TABLE failures_anew RENAME TO failures;

-- One open failure, and one thing that stands, for what is wanted of one student.
CREATE UNIQUE INDEX failures_open ON failures (service, kind, student_id, class_code, is_standing)
    WHERE state IN ('waiting', 'dead', 'ignored', 'held');

CREATE VIEW open_failures AS
SELECT failure_id, service, kind, student_id, class_code, state, call, code, message, service_text, batch, item_index,
       attempts, first_failed_at_ms, last_failed_at_ms, due_at_ms, want, contact, contact_form, run_id, is_standing
FROM failures
WHERE state IN ('waiting', 'dead', 'ignored', 'held');

-- One reason for which operations are held. Its digest is over these operations, so that it is the same from run to run
-- while the same is held.
CREATE TABLE holds (
    hold_digest  TEXT PRIMARY KEY,
    service      TEXT NOT NULL,
    -- A word that never changes its meaning: of a limit, or of a hold about single people.
    reason       TEXT NOT NULL,
    -- 1: about single people, so that a digest alone does not cover it.
    is_named     INTEGER NOT NULL CHECK (is_named IN (0, 1)),
    message      TEXT NOT NULL,
    count        INTEGER,
    limit_count  INTEGER,
    since_ms     INTEGER NOT NULL,
    -- When a run or a plan last found it, and whether the newest one did.
    held_at_ms   INTEGER NOT NULL,
    is_standing  INTEGER NOT NULL CHECK (is_standing IN (0, 1))
) STRICT, WITHOUT ROWID;

-- Under which digests of reports and plans a hold was shown.
CREATE TABLE hold_digests (
    digest      TEXT NOT NULL,
    hold_digest TEXT NOT NULL,
    shown_at_ms INTEGER NOT NULL,
    PRIMARY KEY (digest, hold_digest)
) STRICT, WITHOUT ROWID;

-- What a person let go ahead, until when. `word` is empty for what a limit held.
CREATE TABLE approvals (
    service    TEXT NOT NULL,
    kind       TEXT NOT NULL,
    student_id TEXT NOT NULL,
    class_code TEXT NOT NULL,
    want       INTEGER NOT NULL,
    word       TEXT NOT NULL,
    of_leaver  INTEGER NOT NULL CHECK (of_leaver IN (0, 1)),
    given_at_ms INTEGER NOT NULL,
    until_ms   INTEGER NOT NULL,
    PRIMARY KEY (service, kind, student_id, class_code, want, word)
) STRICT, WITHOUT ROWID;

INSERT OR IGNORE INTO approvals
    (service, kind, student_id, class_code, want, word, of_leaver, given_at_ms, until_ms)
SELECT service, kind, student_id, class_code, want, '', kind = 'delete', held_at_ms,
       max(approved_until_ms)
FROM held_operations
WHERE approved_until_ms IS NOT NULL
GROUP BY service, kind, student_id, class_code, want;

-- What was held and not approved is found again by the next run, under the same digest.
DROP TABLE held_operations;

CREATE TABLE held_operations (
    hold_digest TEXT NOT NULL,
    service    TEXT NOT NULL,
    kind       TEXT NOT NULL,
    student_id TEXT NOT NULL,
    class_code TEXT NOT NULL DEFAULT '',
    want       INTEGER NOT NULL,
    of_leaver  INTEGER NOT NULL CHECK (of_leaver IN (0, 1)),
    PRIMARY KEY (hold_digest, service, kind, student_id, class_code, want)
) STRICT, WITHOUT ROWID;

CREATE INDEX held_operations_by_student ON held_operations (student_id, kind);
