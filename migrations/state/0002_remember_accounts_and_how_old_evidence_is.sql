-- ClassIn: whose account is which, and how old our evidence is. Never a name, phone number or e-mail address:
-- of these only keyed fingerprints are kept.

-- The account of one student. Siblings may share one, each with a row of their own.
CREATE TABLE accounts (
    student_id     TEXT PRIMARY KEY,
    uid            INTEGER NOT NULL,
    -- roster: the uid stood on the roster; registered: we had it registered; found: it was there when we tried.
    origin         TEXT NOT NULL CHECK (origin IN ('roster', 'registered', 'found')),
    -- Whether ClassIn has shown that the account is a student of the school.
    school_student INTEGER NOT NULL CHECK (school_student IN (0, 1)),
    -- Fingerprint of the phone number or e-mail address that the account was obtained by.
    contact        INTEGER,
    -- Fingerprint of the name at the school, as it was last confirmed or first seen.
    school_name    INTEGER,
    changed_at_ms  INTEGER NOT NULL,
    run_id         INTEGER REFERENCES runs (run_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX accounts_by_uid ON accounts (uid);
CREATE INDEX accounts_by_contact ON accounts (contact) WHERE contact IS NOT NULL;

-- A CHECK cannot be altered, so the table is built anew with every row it had.
CREATE TABLE enrolments_anew (
    uid             INTEGER NOT NULL,
    course_id       INTEGER NOT NULL,
    class_id        INTEGER NOT NULL,
    student_id      TEXT NOT NULL,
    evidence        TEXT NOT NULL CHECK (evidence IN
                        ('added', 'present', 'presumed', 'unknown', 'gone', 'condemned', 'removing')),
    code            INTEGER,
    changed_at_ms   INTEGER NOT NULL,
    -- When ClassIn last said that the account is there; NULL when it never did.
    confirmed_at_ms INTEGER,
    run_id          INTEGER NOT NULL REFERENCES runs (run_id),
    gone_since_ms   INTEGER,
    gone_runs       INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (course_id, class_id, uid)
) STRICT, WITHOUT ROWID;

INSERT INTO enrolments_anew
    (uid, course_id, class_id, student_id, evidence, code, changed_at_ms, confirmed_at_ms, run_id, gone_since_ms,
     gone_runs)
SELECT uid, course_id, class_id, student_id, evidence, code, changed_at_ms,
       CASE WHEN evidence IN ('added', 'present', 'presumed') THEN changed_at_ms END, run_id, gone_since_ms, gone_runs
FROM enrolments;

DROP TABLE enrolments;
ALTER TABLE enrolments_anew RENAME TO enrolments;

CREATE INDEX enrolments_by_student ON enrolments (student_id);
CREATE INDEX enrolments_by_uid ON enrolments (uid);

-- Whoever ClassIn has taken into a class is a student of the school under that account; the newest counts.
INSERT INTO accounts (student_id, uid, origin, school_student, changed_at_ms, run_id)
SELECT student_id, uid, 'roster', 1, max(changed_at_ms), run_id
FROM enrolments
WHERE evidence IN ('added', 'present', 'presumed')
GROUP BY student_id;

-- Memberships of classes that take no changes any more.
UPDATE enrolments
SET evidence = 'condemned'
WHERE EXISTS
    (SELECT 1 FROM condemned_classes AS c
     WHERE c.course_id = enrolments.course_id AND c.class_id IN (0, enrolments.class_id));

-- Classes and courses without room: when they were found full, and what was wanted there then.
CREATE TABLE full_classes (
    course_id INTEGER NOT NULL,
    class_id  INTEGER NOT NULL,
    code      INTEGER NOT NULL,
    wanted    INTEGER NOT NULL,
    at_ms     INTEGER NOT NULL,
    run_id    INTEGER NOT NULL REFERENCES runs (run_id),
    PRIMARY KEY (course_id, class_id)
) STRICT, WITHOUT ROWID;
