-- A candidate in a circle of renames gives way: it has a login value of our making for a moment. Where a run was cut off in that
-- moment, the next one gives it a login value of its student back: the one that it gave way from, should the roster's not be free.
ALTER TABLE links ADD COLUMN gave_way_from TEXT;

-- What an earlier version left behind: from what it gave way is not known.
UPDATE links SET gave_way_from = login_value WHERE login_value GLOB 'moving-' || sid || '-[0-9]*';

CREATE INDEX links_that_gave_way ON links (student_id) WHERE gave_way_from IS NOT NULL;
