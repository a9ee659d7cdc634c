-- A class whose class_id was emptied would stand for its whole course, and all of its students would be enrolled there. Which
-- class_id each code had when it was last read tells such a slip from a class that is meant to be the whole course.
CREATE TABLE roster_class_ids (
    class_code TEXT    PRIMARY KEY,
    course_id  INTEGER NOT NULL,
    class_id   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
