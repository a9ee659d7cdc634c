-- A contact or account that too many students share is asked about. What a person says of it is true of the student for as
-- long as the student has it: an approval ends with what it let go ahead, this does not.
CREATE TABLE accepted_contacts (
    student_id TEXT NOT NULL,
    -- What the hold was about: a keyed fingerprint of the contact, or a hash of the account.
    about      INTEGER NOT NULL,
    at_ms      INTEGER NOT NULL,
    PRIMARY KEY (student_id, about)
) STRICT, WITHOUT ROWID;

-- A removal whose answer was lost was one of a membership that is ours, or of one that is certain while its author is not:
-- should the student still be there, it is again what it was. Removals of earlier versions were of what was ours, as far
-- as anybody knows.
ALTER TABLE enrolments ADD COLUMN was_presumed INTEGER NOT NULL DEFAULT 0 CHECK (was_presumed IN (0, 1));
