-- Why: a value that comes back changed from two writes of ours is the service's own form of it, and is compared by what
-- was confirmed from then on. Where look-ups do not show the field, two listings after the second write tell, so the
-- listings since then are counted. Since when a field is not compared is said in reports.

-- Suspected fields whose second write was confirmed: listings that have shown the suspected value since, by field.
ALTER TABLE links ADD COLUMN sent_twice TEXT NOT NULL DEFAULT '{}';

-- Since when each field in rewritten is not compared, in milliseconds since 1970, by field. Of fields that an earlier
-- version found it is not known.
ALTER TABLE links ADD COLUMN rewritten_since TEXT NOT NULL DEFAULT '{}';

-- Both are empty in nearly every row, and asked for in every run.
CREATE INDEX links_with_rewritten_fields ON links (student_id) WHERE rewritten <> '[]';
CREATE INDEX links_with_second_writes ON links (student_id) WHERE sent_twice <> '{}';
CREATE INDEX links_by_written_run ON links (written_run);
