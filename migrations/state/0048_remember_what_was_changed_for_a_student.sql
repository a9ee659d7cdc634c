-- What was done for each student, when, and by which run: the kind of change and the names of fields or groups, never a value.
CREATE TABLE student_changes (
    student_id    TEXT NOT NULL,
    changed_at_ms INTEGER NOT NULL,
    service       TEXT NOT NULL,
    kind          TEXT NOT NULL,
    -- For ClassIn: the class; otherwise empty.
    class_key     TEXT NOT NULL,
    run_id        INTEGER NOT NULL,
    -- Names of roster columns, and numbers of groups that were left; empty where the kind says it all.
    detail        TEXT NOT NULL,
    PRIMARY KEY (student_id, changed_at_ms, service, kind, class_key)
) STRICT, WITHOUT ROWID;
