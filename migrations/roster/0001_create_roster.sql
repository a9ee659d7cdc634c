-- The roster as the school records it: who should exist, in which groups and classes.
--
-- Ordinary tables on purpose: not STRICT and without foreign keys, so that a school can fill them by hand
-- or from its own tools, also with an old SQLite, and in any order. Rows that make no sense are reported
-- by table and key when the roster is read. Further columns may be added to students and be mapped to
-- exam fields.

CREATE TABLE IF NOT EXISTS students (
    student_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    gender TEXT,
    phone TEXT,
    email TEXT,
    password TEXT,
    classin_uid INTEGER,
    active INTEGER NOT NULL DEFAULT 1
);

CREATE TABLE IF NOT EXISTS groups (
    group_code TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    gid INTEGER
);

CREATE TABLE IF NOT EXISTS group_members (
    student_id TEXT,
    group_code TEXT,
    PRIMARY KEY (student_id, group_code)
);

CREATE TABLE IF NOT EXISTS classes (
    class_code TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    course_id INTEGER,
    class_id INTEGER
);

CREATE TABLE IF NOT EXISTS class_members (
    student_id TEXT,
    class_code TEXT,
    PRIMARY KEY (student_id, class_code)
);

CREATE INDEX IF NOT EXISTS group_members_by_group ON group_members (group_code, student_id);
CREATE INDEX IF NOT EXISTS class_members_by_class ON class_members (class_code, student_id);
