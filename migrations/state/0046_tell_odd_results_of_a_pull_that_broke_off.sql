-- A pull that is killed tells nobody of the rows that it met first and could not take as they are: the next pull does.
-- Whether a pull that came to its end has told of the row; those of an earlier version count as told.
ALTER TABLE unreadable_results ADD COLUMN is_told INTEGER NOT NULL DEFAULT 1 CHECK (is_told IN (0, 1));
-- Where in the service's list it was met first; NULL in rows of an earlier version.
ALTER TABLE unreadable_results ADD COLUMN met_at INTEGER;
