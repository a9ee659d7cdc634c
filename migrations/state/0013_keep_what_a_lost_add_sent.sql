-- For an add: keyed fingerprints of the values that are sent. A candidate that is found after a lost answer is ours
-- only where nothing that it shows contradicts them.
ALTER TABLE intents ADD COLUMN sent BLOB NOT NULL DEFAULT x'';
