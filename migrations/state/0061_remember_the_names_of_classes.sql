-- What the roster last called a class of ClassIn: a class that no row names any more is told by its name, and not by numbers alone.
CREATE TABLE class_names (
    course_id  INTEGER NOT NULL,
    class_id   INTEGER NOT NULL,
    class_code TEXT NOT NULL,
    title      TEXT NOT NULL,
    PRIMARY KEY (course_id, class_id)
) STRICT, WITHOUT ROWID;
