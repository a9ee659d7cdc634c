-- Runs, closed failures, memberships that have ended and results of people who have left are kept for `state.keep`.

-- Since when neither the candidate nor its student is linked, to the day; NULL while one is, or before anybody looked. A student_id
-- that is empty was forgotten with the results: they are not taken in again.
ALTER TABLE result_owners ADD COLUMN gone_at_ms INTEGER;

-- A candidate that was linked anew meanwhile is gone only since then.
DROP TRIGGER links_remember_a_closed_one;

CREATE TRIGGER links_remember_a_closed_one AFTER DELETE ON links
BEGIN
    INSERT INTO result_owners (sid, student_id) VALUES (OLD.sid, OLD.student_id)
    ON CONFLICT (sid, account) DO UPDATE SET student_id = excluded.student_id, gone_at_ms = NULL;
END;

DROP TRIGGER links_remember_a_replaced_one;

CREATE TRIGGER links_remember_a_replaced_one AFTER UPDATE OF sid ON links WHEN OLD.sid <> NEW.sid
BEGIN
    INSERT INTO result_owners (sid, student_id) VALUES (OLD.sid, OLD.student_id)
    ON CONFLICT (sid, account) DO UPDATE SET student_id = excluded.student_id, gone_at_ms = NULL;
END;

-- What names a run keeps it, which is asked for each run that goes.
CREATE INDEX failures_by_run ON failures (run_id);
CREATE INDEX enrolments_by_run ON enrolments (run_id);
CREATE INDEX accounts_by_run ON accounts (run_id) WHERE run_id IS NOT NULL;

-- However long the history is, a run looks at the few rows that it is about.
CREATE INDEX failures_closed ON failures (closed_at_ms) WHERE closed_at_ms IS NOT NULL;
CREATE INDEX runs_with_report ON runs (run_id) WHERE report IS NOT NULL;
