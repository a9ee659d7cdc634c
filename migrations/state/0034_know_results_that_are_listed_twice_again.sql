-- Rows of the service's list that show an attempt twice are told once, like those that cannot be read.
ALTER TABLE unreadable_results ADD COLUMN is_twin INTEGER NOT NULL DEFAULT 0 CHECK (is_twin IN (0, 1));
