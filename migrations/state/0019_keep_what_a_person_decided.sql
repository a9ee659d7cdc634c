-- What a person decided about single people names what was shown: the other student, the groups, the variant of the
-- doubt. An approval of one doubt says nothing about another under the same word, and a leaver whom a person said to
-- keep stays, whatever becomes of the reason.

-- Whether it takes something from a student who left, and what the hold named. 0: nothing, or of an earlier version.
ALTER TABLE failures ADD COLUMN of_leaver INTEGER NOT NULL DEFAULT 0 CHECK (of_leaver IN (0, 1));
ALTER TABLE failures ADD COLUMN about INTEGER NOT NULL DEFAULT 0;

UPDATE failures SET of_leaver = 1
WHERE is_standing = 1 AND service = 'exam' AND state IN ('waiting', 'dead', 'ignored', 'held')
  AND EXISTS (SELECT 1 FROM links AS l WHERE l.student_id = failures.student_id AND l.gone_since_ms IS NOT NULL);

DROP VIEW open_failures;

CREATE VIEW open_failures AS
SELECT failure_id, service, kind, student_id, class_code, state, call, code, message, service_text, batch, item_index,
       attempts, first_failed_at_ms, last_failed_at_ms, due_at_ms, want, contact, contact_form, run_id, is_standing,
       of_leaver, about
FROM failures
WHERE state IN ('waiting', 'dead', 'ignored', 'held');

ALTER TABLE held_operations ADD COLUMN about INTEGER NOT NULL DEFAULT 0;

-- Two doubts under one word are two approvals, so `about` belongs to the key. What an earlier version approved about
-- single people names nothing: it is asked about again.
CREATE TABLE approvals_anew (
    service    TEXT NOT NULL,
    kind       TEXT NOT NULL,
    student_id TEXT NOT NULL,
    class_code TEXT NOT NULL,
    want       INTEGER NOT NULL,
    word       TEXT NOT NULL,
    about      INTEGER NOT NULL,
    of_leaver  INTEGER NOT NULL CHECK (of_leaver IN (0, 1)),
    given_at_ms INTEGER NOT NULL,
    until_ms   INTEGER NOT NULL,
    PRIMARY KEY (service, kind, student_id, class_code, want, word, about)
) STRICT, WITHOUT ROWID;

INSERT INTO approvals_anew (service, kind, student_id, class_code, want, word, about, of_leaver, given_at_ms, until_ms)
SELECT service, kind, student_id, class_code, want, word, 0, of_leaver, given_at_ms, until_ms
FROM approvals;

DROP TABLE approvals;
ALTER TABLE approvals_anew RENAME TO approvals;
