-- Two attempts of one candidate at one exam in one second are two where their links say so: the second one's `untimed` holds its
-- tid. A CHECK cannot be altered, so the table is built anew with every row it had.
CREATE TABLE results_anew (
    account       INTEGER NOT NULL DEFAULT 0,
    eid           INTEGER NOT NULL,
    sid           INTEGER NOT NULL,
    -- 0: the service does not say. Then the tid tells attempts apart.
    started_at_ms INTEGER NOT NULL,
    untimed       TEXT NOT NULL DEFAULT '',
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
    PRIMARY KEY (eid, sid, started_at_ms, untimed, account)
) STRICT, WITHOUT ROWID;

INSERT INTO results_anew
    (account, eid, sid, started_at_ms, untimed, tid, login_value, score, passed, status, ended_at_ms, first_pass,
     first_seen_at_ms, changed_at_ms)
SELECT account, eid, sid, started_at_ms, untimed, tid, login_value, score, passed, status, ended_at_ms, first_pass,
       first_seen_at_ms, changed_at_ms
FROM results;

DROP TABLE results;
ALTER TABLE results_anew RENAME TO results;

CREATE INDEX results_by_candidate ON results (sid);
CREATE INDEX results_by_start ON results (started_at_ms);

-- Rows of the service's list that cannot be read, by a keyed hash of what they show: each is told once.
CREATE TABLE unreadable_results (
    row_hash         INTEGER PRIMARY KEY,
    first_seen_at_ms INTEGER NOT NULL,
    -- The pass that met it last.
    last_pass        INTEGER NOT NULL
) STRICT;

-- A pass that fails twice at one page is given up.
ALTER TABLE result_passes ADD COLUMN failed_at INTEGER;
ALTER TABLE result_passes ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
