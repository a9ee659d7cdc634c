-- A sid is one candidate's in one account only. When the state goes over to another account, the results of the one before
-- stay with the students whose they are, under a number of their own: 0 is the account that the state belongs to.

CREATE TABLE results_anew (
    account       INTEGER NOT NULL DEFAULT 0,
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
    PRIMARY KEY (eid, sid, started_at_ms, untimed, account)
) STRICT, WITHOUT ROWID;

INSERT INTO results_anew (eid, sid, started_at_ms, untimed, tid, login_value, score, passed, status, ended_at_ms,
    first_pass, first_seen_at_ms, changed_at_ms)
SELECT eid, sid, started_at_ms, untimed, tid, login_value, score, passed, status, ended_at_ms,
    first_pass, first_seen_at_ms, changed_at_ms
FROM results;

DROP TABLE results;
ALTER TABLE results_anew RENAME TO results;

CREATE INDEX results_by_candidate ON results (sid);
CREATE INDEX results_by_start ON results (started_at_ms);

DROP TRIGGER links_remember_a_closed_one;
DROP TRIGGER links_remember_a_replaced_one;

CREATE TABLE result_owners_anew (
    sid        INTEGER NOT NULL,
    student_id TEXT NOT NULL,
    account    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (sid, account)
) STRICT, WITHOUT ROWID;

INSERT INTO result_owners_anew (sid, student_id) SELECT sid, student_id FROM result_owners;

DROP TABLE result_owners;
ALTER TABLE result_owners_anew RENAME TO result_owners;

CREATE INDEX result_owners_by_student ON result_owners (student_id);

CREATE TRIGGER links_remember_a_closed_one AFTER DELETE ON links
BEGIN
    INSERT INTO result_owners (sid, student_id) VALUES (OLD.sid, OLD.student_id)
    ON CONFLICT (sid, account) DO UPDATE SET student_id = excluded.student_id;
END;

CREATE TRIGGER links_remember_a_replaced_one AFTER UPDATE OF sid ON links WHEN OLD.sid <> NEW.sid
BEGIN
    INSERT INTO result_owners (sid, student_id) VALUES (OLD.sid, OLD.student_id)
    ON CONFLICT (sid, account) DO UPDATE SET student_id = excluded.student_id;
END;
