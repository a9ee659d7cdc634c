-- Leavers, each with a student without a candidate of whom a person was asked whether the two are one: the question stands when
-- the value that tied them together changes, and the pairs are known when some of a mass were carried over.
CREATE TABLE asked_pairs (
    leaver_id   TEXT NOT NULL,
    newcomer_id TEXT NOT NULL,
    -- Whether they were one pair of many who went missing together: then the mass is asked about, and not each of them.
    of_mass     INTEGER NOT NULL CHECK (of_mass IN (0, 1)),
    asked_at_ms INTEGER NOT NULL,
    PRIMARY KEY (leaver_id, newcomer_id)
) STRICT, WITHOUT ROWID;
