-- What look-ups said about people who are held or withheld. While row, link, listing and approvals are as they were, they are
-- not looked up again before `exam.verify_groups` has passed; nothing is written on the strength of such an answer.
CREATE TABLE standing_answers (
    student_id    TEXT PRIMARY KEY,
    -- A keyed hash of row, link, listing and approvals.
    circumstances INTEGER NOT NULL,
    -- In how many runs in a row the answers were the same, as far as that matters.
    runs          INTEGER NOT NULL,
    asked_at_ms   INTEGER NOT NULL,
    -- JSON: of each sid that was asked for, [sid, gids, login value, values shown as keyed fingerprints]. Only the sid: there is no
    -- such candidate. A login value is null where the answer did not show it.
    by_sid        TEXT NOT NULL,
    -- JSON: of each login value that was asked for, [login value, sid, gids]. Only the login value: there is no such candidate.
    by_login      TEXT NOT NULL
) STRICT;
