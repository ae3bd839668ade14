-- The channel: topics and their members, doors for webhooks, one log of events, and targets that walk along it.
-- Secrets of integrations, addresses of targets and providers' tokens stand here sealed.

CREATE TABLE topic (
    name        TEXT    NOT NULL PRIMARY KEY,
    title       TEXT    NOT NULL,
    created_by  BLOB    NOT NULL REFERENCES account (id),
    created_at  INTEGER NOT NULL,
    -- What its events weigh: the sum of channel_event.weight.
    weight      INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX topic_by_creator ON topic (created_by);

-- Names of deleted topics whose events are not all gone. Nobody gets the name before they are.
CREATE TABLE topic_deleted (
    name  TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- `member` is an account's id, or the bytes of a client_id. A client owns nothing.
CREATE TABLE topic_member (
    topic     TEXT    NOT NULL REFERENCES topic (name),
    kind      TEXT    NOT NULL,
    member    BLOB    NOT NULL,
    role      TEXT    NOT NULL,
    added_at  INTEGER NOT NULL,
    PRIMARY KEY (topic, kind, member),
    CHECK (kind = 'account' OR role = 'member')
) STRICT, WITHOUT ROWID;
CREATE INDEX topic_member_by_member ON topic_member (kind, member);

CREATE TABLE integration (
    id             TEXT    NOT NULL PRIMARY KEY,
    topic          TEXT    NOT NULL REFERENCES topic (name),
    kind           TEXT    NOT NULL,
    label          TEXT    NOT NULL,
    header         TEXT    NOT NULL,
    prefix         TEXT    NOT NULL,
    id_header      TEXT,
    event_header   TEXT,
    sealed_secret  BLOB    NOT NULL,
    created_by     BLOB    REFERENCES account (id),
    -- The hook that calls us, when we make it: both or none, and its number once the provider has told it.
    connection     TEXT,
    repository     TEXT,
    hook_id        INTEGER,
    created_at     INTEGER NOT NULL,
    CHECK ((connection IS NULL) = (repository IS NULL) AND (hook_id IS NULL OR connection IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX integration_by_topic ON integration (topic);

-- The log. AUTOINCREMENT: an id that was given once is never given again, even when all events were swept, since
-- cursors out there count on it. `is_kept`: the data is too long for a line and lies in channel_body. No foreign
-- key: the verb that appends reads the topic in the same transaction.
CREATE TABLE channel_event (
    id       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    topic    TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    type     TEXT    NOT NULL,
    source   TEXT    NOT NULL,
    subject  TEXT,
    -- The name that its sender gave it.
    delivery TEXT,
    is_kept  INTEGER NOT NULL,
    -- Bytes, about, with what lies in channel_body.
    weight   INTEGER NOT NULL,
    data     TEXT
) STRICT;
CREATE INDEX channel_event_by_topic ON channel_event (topic, id);

-- One row: what all events weigh, also those of deleted topics.
CREATE TABLE channel_storage (
    id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    weight  INTEGER NOT NULL
) STRICT;
INSERT INTO channel_storage (id, weight) VALUES (1, 0);
CREATE TRIGGER channel_event_come AFTER INSERT ON channel_event BEGIN
    UPDATE topic SET weight = weight + NEW.weight WHERE name = NEW.topic;
    UPDATE channel_storage SET weight = weight + NEW.weight WHERE id = 1;
END;
CREATE TRIGGER channel_event_gone AFTER DELETE ON channel_event BEGIN
    UPDATE topic SET weight = weight - OLD.weight WHERE name = OLD.topic;
    UPDATE channel_storage SET weight = weight - OLD.weight WHERE id = 1;
    -- A post is known by its name as long as its event is kept.
    DELETE FROM webhook_inbox WHERE event_id = OLD.id AND integration = 'topics/' || OLD.topic;
END;

CREATE TABLE channel_body (
    event_id  INTEGER NOT NULL PRIMARY KEY,
    body      BLOB    NOT NULL
) STRICT;

-- What came in, by the event it became. The key (integration, delivery) is what makes its effect happen once; it
-- outlives the event. What a member posted by a name of its own stands here too: its `integration` is topics/NAME,
-- which none is called.
CREATE TABLE webhook_inbox (
    event_id     INTEGER NOT NULL PRIMARY KEY,
    integration  TEXT    NOT NULL,
    delivery     TEXT    NOT NULL,
    received_at  INTEGER NOT NULL,
    event        TEXT    NOT NULL,
    UNIQUE (integration, delivery)
) STRICT;
CREATE INDEX webhook_inbox_by_integration ON webhook_inbox (integration, event_id);

-- `next_at` is null while a target has nothing to do, so that finding who has something looks at nobody else.
CREATE TABLE channel_target (
    id           BLOB    NOT NULL PRIMARY KEY,
    topic        TEXT    NOT NULL REFERENCES topic (name),
    kind         TEXT    NOT NULL,
    account      BLOB    REFERENCES account (id),
    label        TEXT    NOT NULL,
    address      BLOB    NOT NULL,
    sealed       BLOB    NOT NULL,
    cursor       INTEGER NOT NULL,
    failures     INTEGER NOT NULL,
    next_at      INTEGER,
    last_error   TEXT,
    disabled_at  INTEGER,
    created_at   INTEGER NOT NULL,
    UNIQUE (topic, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX channel_target_by_account ON channel_target (account) WHERE account IS NOT NULL;
-- Who is asleep has not failed; so the append that wakes them looks at nobody who waits after a failure.
CREATE INDEX channel_target_ready ON channel_target (topic, next_at) WHERE failures = 0 AND disabled_at IS NULL;
CREATE INDEX channel_target_due ON channel_target (next_at) WHERE next_at IS NOT NULL AND disabled_at IS NULL;

-- `provider` is the identity's word for it: what is unbound takes its tokens along.
CREATE TABLE upstream_token (
    account      BLOB    NOT NULL REFERENCES account (id),
    connection   TEXT    NOT NULL,
    provider     TEXT    NOT NULL,
    scope        TEXT    NOT NULL,
    sealed       BLOB    NOT NULL,
    obtained_at  INTEGER NOT NULL,
    PRIMARY KEY (account, connection)
) STRICT, WITHOUT ROWID;
