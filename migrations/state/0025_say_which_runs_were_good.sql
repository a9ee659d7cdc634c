-- A run is good when it read both sides completely and no service was stopped, whatever it left failed, waiting or held.
-- It may also have been told to stop, or have left undone what the mode does not allow.

-- A CHECK cannot be altered, so the column is made anew.
ALTER TABLE runs ADD COLUMN ended_as TEXT CHECK (ended_as IN
    ('converged', 'applied', 'observed', 'incomplete', 'held', 'failed', 'interrupted', 'planned'));
UPDATE runs SET ended_as = outcome;
ALTER TABLE runs DROP COLUMN outcome;
ALTER TABLE runs RENAME COLUMN ended_as TO outcome;

ALTER TABLE runs ADD COLUMN is_good INTEGER NOT NULL DEFAULT 0 CHECK (is_good IN (0, 1));

-- Of an older run the report tells: only causes of a whole run stand in its errors.
UPDATE runs SET is_good = 1
WHERE trigger <> 'plan'
  AND (outcome IN ('converged', 'applied')
       OR (outcome IN ('incomplete', 'held') AND listing_complete = 1
           AND coalesce(json_array_length(report, '$.errors'), 1) = 0));

-- Asked in every run and by every health check.
CREATE INDEX runs_good ON runs (finished_at_ms) WHERE is_good = 1;
CREATE INDEX runs_complete ON runs (run_id) WHERE listing_complete = 1 AND trigger <> 'plan';
