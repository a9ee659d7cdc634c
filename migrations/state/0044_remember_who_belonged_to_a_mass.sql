-- Who was held as part of too much at once, by person: the others of a mass stay held when some of it are approved, or when the
-- number that the limit is measured against has grown.
CREATE TABLE held_masses (
    service      TEXT NOT NULL CHECK (service IN ('exam', 'classin')),
    kind         TEXT NOT NULL,
    student_id   TEXT NOT NULL,
    -- For ClassIn the class, otherwise empty.
    class_code   TEXT NOT NULL DEFAULT '',
    want         INTEGER NOT NULL,
    of_leaver    INTEGER NOT NULL CHECK (of_leaver IN (0, 1)),
    -- The word of the limit, and for that of one group the gid.
    reason       TEXT NOT NULL,
    gid          INTEGER,
    -- Of how many people there were too many.
    total        INTEGER NOT NULL,
    -- Whether a person has let it go since: it counts on as one of the mass, for the others.
    is_decided   INTEGER NOT NULL DEFAULT 0 CHECK (is_decided IN (0, 1)),
    -- When a run or a plan last held it.
    held_at_ms   INTEGER NOT NULL,
    PRIMARY KEY (service, kind, student_id, class_code, want)
) STRICT, WITHOUT ROWID;
