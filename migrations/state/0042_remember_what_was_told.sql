-- What was told of the situation and is not over, so that no restart tells it twice; and messages that are still to be
-- delivered. Nothing here names a person, and no address or secret: a target is a word of the configuration.
CREATE TABLE told_incidents (
    -- `health`, or the kind of attention.
    incident     TEXT PRIMARY KEY,
    kind         TEXT NOT NULL,
    cause        TEXT NOT NULL,
    since_at_ms  INTEGER NOT NULL
) STRICT;

CREATE TABLE notifications (
    notification_id INTEGER PRIMARY KEY,
    -- `wecom`, `dingtalk`, `feishu`, `slack`, `teams`, `json`, `mail` or `ping`.
    target          TEXT NOT NULL,
    -- JSON: the message; for a ping, `{"good":true}`.
    content         TEXT NOT NULL,
    made_at_ms      INTEGER NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 0,
    due_at_ms       INTEGER NOT NULL,
    -- What the last attempt ended in; absent before the first.
    error           TEXT
) STRICT;
