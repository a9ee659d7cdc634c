-- Fields that came back changed from a confirmed write, with a keyed fingerprint of what came back: only when
-- the same value was sent again and came back changed in the same way is it the service that rewrites it.
ALTER TABLE links ADD COLUMN suspected BLOB NOT NULL DEFAULT x'';

-- Candidates of students who left and whose candidate was deleted: their exam results stay with the old sid,
-- which a report has to say when the student comes back.
CREATE TABLE former_candidates (
    student_id TEXT PRIMARY KEY,
    sid        INTEGER NOT NULL,
    gone_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
