-- The login values that the roster wants of students whose candidates have others, as keyed fingerprints: who leaves before the
-- change is made is known by it under another id.
CREATE TABLE wanted_logins (
    student_id  TEXT PRIMARY KEY,
    login       INTEGER NOT NULL,
    noted_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
