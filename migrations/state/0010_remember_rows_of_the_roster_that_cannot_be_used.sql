-- Rows of the roster that cannot be used and concern no single student, or many at once: a member row that names nobody,
-- a group whose gid is no number, rows without a readable id. They fail before either service is asked, so they stand
-- beside the failures. The numbers are far from those of failures, so that one number names one thing.
CREATE TABLE roster_rows (
    row_id        INTEGER PRIMARY KEY AUTOINCREMENT,
    table_name    TEXT NOT NULL,
    row_key       TEXT NOT NULL,
    message       TEXT NOT NULL,
    state         TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'ignored')),
    first_seen_ms INTEGER NOT NULL,
    UNIQUE (table_name, row_key, message)
) STRICT;

INSERT INTO sqlite_sequence (name, seq) VALUES ('roster_rows', 1000000000);
