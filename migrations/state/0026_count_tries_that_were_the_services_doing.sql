-- A try that failed by the service's own doing (429, 5xx, no answer, maintenance) uses up no attempt and is never given up.
-- Such tries are counted apart, and the failure says whether the last one was one of them: it is due as soon as a call of
-- that kind has succeeded again.
ALTER TABLE failures ADD COLUMN service_attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE failures ADD COLUMN is_service_fault INTEGER NOT NULL DEFAULT 0 CHECK (is_service_fault IN (0, 1));

-- What an earlier version gave up during an outage is tried again.
UPDATE failures SET is_service_fault = 1, service_attempts = attempts, attempts = 0, state = 'waiting'
WHERE state IN ('waiting', 'dead') AND is_standing = 0 AND call <> ''
  AND code IN ('service-failed', 'rate-limited', 'timed-out', 'unreachable', 'service-stopped', 'lost-answer',
               'unreadable', 'unexpected', 'not-sent');
