-- Whether two people were alike when a person was asked about them, and what the newcomer's row said last: the question stands when
-- the row is written anew under another id.
ALTER TABLE asked_pairs ADD COLUMN were_alike INTEGER NOT NULL DEFAULT 0 CHECK (were_alike IN (0, 1));
-- Keyed fingerprints, as those of links.
ALTER TABLE asked_pairs ADD COLUMN newcomer_row BLOB NOT NULL DEFAULT x'';
