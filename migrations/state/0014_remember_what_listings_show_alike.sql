-- Login values that the last believed listing showed more than once, as keyed fingerprints with the number of their rows:
-- a listing that shows just the same needs no second reading.
CREATE TABLE repeated_logins (
    fingerprint INTEGER PRIMARY KEY,
    row_count   INTEGER NOT NULL
) STRICT;

-- Linked candidates that the last runs found by their sid and nowhere in the listing.
CREATE TABLE unlisted_candidates (
    sid         INTEGER PRIMARY KEY,
    runs        INTEGER NOT NULL,
    since_ms    INTEGER NOT NULL
) STRICT;
