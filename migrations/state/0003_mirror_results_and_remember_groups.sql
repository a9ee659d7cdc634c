-- Exam results as the service lists them, and groups that were created there. Never a name; of a result's link only
-- its tid. All instants are UTC milliseconds since 1970.

-- One attempt: one exam, one candidate, one moment of the start. Attempts of candidates that are deleted or were never
-- ours are kept like all others.
CREATE TABLE results (
    eid           INTEGER NOT NULL,
    sid           INTEGER NOT NULL,
    -- 0: the service does not say. Then, and only then, the tid tells attempts apart.
    started_at_ms INTEGER NOT NULL,
    untimed       TEXT NOT NULL DEFAULT '' CHECK (untimed = '' OR started_at_ms = 0),
    tid           TEXT,
    login_value   TEXT,
    score         REAL,
    passed        INTEGER CHECK (passed IN (0, 1)),
    -- The service's code: 0 in progress, 1 submitted, 2 timed out, 3 forced, 4 by the system.
    status        INTEGER,
    ended_at_ms   INTEGER,
    -- The pass that brought it first: the rows of a pass that is still under way do not tell it where to stop.
    first_pass    INTEGER NOT NULL,
    first_seen_at_ms INTEGER NOT NULL,
    changed_at_ms INTEGER NOT NULL,
    PRIMARY KEY (eid, sid, started_at_ms, untimed)
) STRICT, WITHOUT ROWID;

CREATE INDEX results_by_candidate ON results (sid);
CREATE INDEX results_by_start ON results (started_at_ms);

-- Passes over the service's list, from its head down. The one that is not finished is gone on with.
CREATE TABLE result_passes (
    pass_id        INTEGER PRIMARY KEY AUTOINCREMENT,
    is_full        INTEGER NOT NULL CHECK (is_full IN (0, 1)),
    started_at_ms  INTEGER NOT NULL,
    finished_at_ms INTEGER,
    -- Whether what was read adds up. A pass that does not is followed by a full one.
    is_certain     INTEGER CHECK (is_certain IN (0, 1)),
    -- Where the next page starts, and the last attempts that were read: the next page must show one of them.
    next_start     INTEGER NOT NULL DEFAULT 0,
    anchors        TEXT NOT NULL DEFAULT '[]',
    first_total    INTEGER,
    last_total     INTEGER NOT NULL DEFAULT 0,
    seen           INTEGER NOT NULL DEFAULT 0,
    fresh          INTEGER NOT NULL DEFAULT 0,
    -- By how many our results are more than the service's when it ended: those that it no longer lists.
    surplus        INTEGER
) STRICT;

CREATE UNIQUE INDEX result_passes_open ON result_passes ((finished_at_ms IS NULL)) WHERE finished_at_ms IS NULL;

-- Whose candidate it was, for results that outlive the link.
CREATE TABLE result_owners (
    sid        INTEGER PRIMARY KEY,
    student_id TEXT NOT NULL
) STRICT;

CREATE INDEX result_owners_by_student ON result_owners (student_id);

-- Not OR REPLACE: within a trigger the statement that fires it decides what a conflict does.
CREATE TRIGGER links_remember_a_closed_one AFTER DELETE ON links
BEGIN
    INSERT INTO result_owners (sid, student_id) VALUES (OLD.sid, OLD.student_id)
    ON CONFLICT (sid) DO UPDATE SET student_id = excluded.student_id;
END;

CREATE TRIGGER links_remember_a_replaced_one AFTER UPDATE OF sid ON links WHEN OLD.sid <> NEW.sid
BEGIN
    INSERT INTO result_owners (sid, student_id) VALUES (OLD.sid, OLD.student_id)
    ON CONFLICT (sid) DO UPDATE SET student_id = excluded.student_id;
END;

-- The gid of a group of the roster: as the roster named it, or of a group that we created or adopted.
CREATE TABLE known_groups (
    group_code  TEXT PRIMARY KEY,
    gid         INTEGER NOT NULL,
    origin      TEXT NOT NULL CHECK (origin IN ('roster', 'created', 'adopted')),
    known_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Groups that were to be created, by title below a parent. `asked` is the intent: written before the call. It and
-- `unknown` are never asked for again by themselves, for nothing can prove what happened.
CREATE TABLE group_creations (
    parent_gid  INTEGER NOT NULL,
    title       TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('asked', 'unknown', 'refused', 'created', 'adopted')),
    gid         INTEGER CHECK (gid IS NULL OR state IN ('created', 'adopted')),
    attempts    INTEGER NOT NULL DEFAULT 0,
    -- For `refused`: when it is tried again; absent: not before a person has looked.
    due_at_ms   INTEGER,
    changed_at_ms INTEGER NOT NULL,
    run_id      INTEGER NOT NULL REFERENCES runs (run_id),
    PRIMARY KEY (parent_gid, title)
) STRICT, WITHOUT ROWID;
