-- No leaver stays, or goes, without a word. A group that stood on the roster once is still ours to take a leaver out of;
-- a candidate that was renamed by hand after its student had left may be somebody else's by now.

-- When it was first seen under another login value than the one it had when its student left; NULL: never.
ALTER TABLE links ADD COLUMN renamed_at_ms INTEGER;

-- Every gid that ever stood on the roster, with its code and title as they were last seen.
CREATE TABLE roster_groups (
    gid            INTEGER PRIMARY KEY,
    group_code     TEXT NOT NULL,
    title          TEXT NOT NULL,
    -- Since when, and until when, it stood there without a break.
    stood_since_ms INTEGER NOT NULL,
    stood_until_ms INTEGER NOT NULL,
    -- Whether the last run saw it there.
    is_there       INTEGER NOT NULL CHECK (is_there IN (0, 1)),
    -- Whether it once stood there so long that it was no mistake.
    is_settled     INTEGER NOT NULL CHECK (is_settled IN (0, 1))
) STRICT;

-- Earlier versions remember only the gids of groups that they could have created.
INSERT INTO roster_groups (gid, group_code, title, stood_since_ms, stood_until_ms, is_there, is_settled)
SELECT gid, min(group_code), '', min(known_at_ms), max(known_at_ms), 1, max(origin = 'created')
FROM known_groups
GROUP BY gid;

-- Earlier versions left leavers in groups of others. Whether this state has done so is found out with the roster's
-- groups, by the first run that reads them.
INSERT INTO facts (name, value)
SELECT 'exam.left_to_others', CAST('unknown' AS BLOB)
WHERE EXISTS (SELECT 1 FROM links WHERE gone_since_ms IS NOT NULL AND gids IS NOT NULL);
