-- Who is refused in a new place keeps the one before until that is settled, or a person ignores the failure: then they lose it. Which
-- failures those are: of a student who is still in a place where nobody wants them any more, or of a class as a whole.
CREATE VIEW failures_that_keep_places AS
SELECT f.failure_id
FROM failures AS f
WHERE f.service = 'classin' AND f.kind = 'enrol' AND f.is_standing = 0 AND f.state IN ('waiting', 'dead', 'held')
    AND EXISTS (
        SELECT 1
        FROM enrolments AS e
        WHERE (e.student_id = f.student_id OR f.student_id = '')
            AND e.unwanted_since_ms IS NOT NULL
            AND e.gone_since_ms IS NULL
            AND e.evidence NOT IN ('gone', 'condemned', 'present')
    );
