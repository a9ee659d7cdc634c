-- Writes that the guard's limits count, noted before the call and taken back only when it is known not to have
-- happened: so a lost answer leaves nothing uncounted. It replaces the table of what was confirmed.
CREATE TABLE counted_writes (
    service    TEXT NOT NULL,
    -- The kind of operation that writes, as intents name it.
    operation  TEXT NOT NULL,
    student_id TEXT NOT NULL,
    -- What a limit counts it as: dismissal, modify, login-change, vanished, move, left, take-over, overwrite; on ClassIn
    -- removal.
    kind       TEXT NOT NULL,
    -- The group that is left, or ClassIn's class; empty where no limit asks which.
    place      TEXT NOT NULL,
    at_ms      INTEGER NOT NULL,
    -- Whether a person had approved it by then: no limit counts it.
    approved   INTEGER NOT NULL CHECK (approved IN (0, 1)),
    -- The run that sent it; NULL: a version that kept only what was confirmed.
    run_id     INTEGER,
    -- 0: no answer has settled yet whether it happened.
    is_settled INTEGER NOT NULL CHECK (is_settled IN (0, 1)),
    PRIMARY KEY (service, operation, student_id, kind, place, at_ms)
) STRICT, WITHOUT ROWID;

CREATE INDEX counted_writes_by_time ON counted_writes (service, at_ms);

INSERT INTO counted_writes (service, operation, student_id, kind, place, at_ms, approved, is_settled)
SELECT service, CASE service WHEN 'exam' THEN 'delete' ELSE 'remove' END, student_id,
       CASE service WHEN 'exam' THEN 'dismissal' ELSE 'removal' END, '', at_ms, approved, 1
FROM departures;

DROP TABLE departures;
