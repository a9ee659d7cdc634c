-- Which account of each service this state belongs to: sids, gids, uids and course ids mean something there alone. The
-- fingerprint is keyed and stands for host and code, or host and SID; a host is no secret.
CREATE TABLE service_accounts (
    service     TEXT PRIMARY KEY CHECK (service IN ('exam', 'classin')),
    fingerprint INTEGER NOT NULL,
    host        TEXT NOT NULL,
    since_ms    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
