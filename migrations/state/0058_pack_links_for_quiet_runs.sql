-- What a run that changes nothing reads of links, one row for many: reading it costs a tenth of reading them. A row stands for
-- all links from its first id to its last, and goes with the first change to one of these that it would tell.
CREATE TABLE packed_links (
    first_id TEXT PRIMARY KEY,
    last_id  TEXT NOT NULL,
    links    INTEGER NOT NULL,
    -- The fields of which the links tell what was confirmed, as numbers with commas.
    fields   TEXT NOT NULL,
    -- A text a link, each with a sign (group separator) behind it.
    texts    TEXT NOT NULL
) STRICT;

CREATE TRIGGER packed_links_without_a_new_one AFTER INSERT ON links
BEGIN
    DELETE FROM packed_links WHERE first_id <= NEW.student_id AND last_id >= NEW.student_id;
END;

CREATE TRIGGER packed_links_without_a_closed_one AFTER DELETE ON links
BEGIN
    DELETE FROM packed_links WHERE first_id <= OLD.student_id AND last_id >= OLD.student_id;
END;

CREATE TRIGGER packed_links_without_a_changed_one
AFTER UPDATE OF student_id, sid, login_value, confirmed, suspected, rewritten, sent_twice, gids, gone_since_ms ON links
WHEN OLD.student_id IS NOT NEW.student_id OR OLD.sid IS NOT NEW.sid OR OLD.login_value IS NOT NEW.login_value
    OR OLD.confirmed IS NOT NEW.confirmed OR OLD.suspected IS NOT NEW.suspected OR OLD.rewritten IS NOT NEW.rewritten
    OR OLD.sent_twice IS NOT NEW.sent_twice OR OLD.gids IS NOT NEW.gids OR OLD.gone_since_ms IS NOT NEW.gone_since_ms
BEGIN
    DELETE FROM packed_links WHERE first_id <= OLD.student_id AND last_id >= OLD.student_id;
    DELETE FROM packed_links WHERE first_id <= NEW.student_id AND last_id >= NEW.student_id;
END;
