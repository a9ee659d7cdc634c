-- A class that lost its class_id beside others stays what it was. The others may be mended before it, one after the other: then it
-- alone is without one, and would be taken for the whole course. So what was given back to a class is remembered with it.
ALTER TABLE roster_class_ids ADD COLUMN is_kept INTEGER NOT NULL DEFAULT 0;
