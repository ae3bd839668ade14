-- The first schema. Times are milliseconds since the Unix epoch, ids 16 bytes, digests 32 bytes, lists JSON texts.
-- Secrets stand here only as digests (32 random bytes hashed), as PHC strings (what people chose) or sealed (keys).

-- One row, made with the schema; named when the server first starts.
CREATE TABLE instance (
    one                    INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    id                     BLOB,
    issuer                 TEXT,
    epoch                  INTEGER NOT NULL DEFAULT 0,
    -- Raised by every change of keys and clients, so that other processes notice.
    revision               INTEGER NOT NULL DEFAULT 0,
    administrator_made_at  INTEGER,
    setup_digest           BLOB,
    setup_expires_at       INTEGER,
    -- Raised by the probe that looks whether writing works again.
    probed                 INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO instance (one) VALUES (1);

CREATE TABLE key (
    id          INTEGER NOT NULL PRIMARY KEY,
    key_use     TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    not_before  INTEGER NOT NULL,
    sealed      BLOB    NOT NULL
) STRICT;

CREATE TABLE client (
    id                              TEXT    NOT NULL PRIMARY KEY,
    name                            TEXT    NOT NULL,
    epoch                           INTEGER NOT NULL,
    is_public                       INTEGER NOT NULL,
    redirect_uris                   TEXT    NOT NULL,
    post_logout_redirect_uris       TEXT    NOT NULL,
    grant_types                     TEXT    NOT NULL,
    scope                           TEXT    NOT NULL,
    pkce                            TEXT    NOT NULL,
    rotates                         INTEGER,
    refresh_window_seconds          INTEGER NOT NULL,
    access_token_lifetime_seconds   INTEGER,
    id_token_alg                    TEXT    NOT NULL,
    api_resource                    TEXT    UNIQUE,
    api_scope                       TEXT,
    api_scope_words                 TEXT,
    api_token                       TEXT,
    created_at                      INTEGER NOT NULL,
    disabled_at                     INTEGER
) STRICT;

CREATE TABLE client_secret (
    client      TEXT    NOT NULL REFERENCES client (id),
    digest      BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (client, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE account (
    id                BLOB    NOT NULL PRIMARY KEY,
    username          TEXT,
    username_folded   TEXT    UNIQUE,
    name              TEXT    NOT NULL,
    picture           TEXT,
    password_hash     TEXT,
    is_administrator  INTEGER NOT NULL,
    version           INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    disabled_at       INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE union_identity (
    provider     TEXT    NOT NULL,
    union_group  TEXT    NOT NULL,
    unionid      TEXT    NOT NULL,
    account      BLOB    NOT NULL REFERENCES account (id),
    bound_at     INTEGER NOT NULL,
    PRIMARY KEY (provider, union_group, unionid)
) STRICT, WITHOUT ROWID;
CREATE INDEX union_identity_by_account ON union_identity (account);

CREATE TABLE identity (
    provider     TEXT    NOT NULL,
    app          TEXT    NOT NULL,
    subject      TEXT    NOT NULL,
    account      BLOB    NOT NULL REFERENCES account (id),
    union_group  TEXT,
    unionid      TEXT,
    nickname     TEXT,
    picture      TEXT,
    bound_at     INTEGER NOT NULL,
    PRIMARY KEY (provider, app, subject),
    FOREIGN KEY (provider, union_group, unionid) REFERENCES union_identity (provider, union_group, unionid)
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_by_account ON identity (account);
CREATE INDEX identity_by_union ON identity (provider, union_group, unionid) WHERE unionid IS NOT NULL;

CREATE TABLE pending_identity (
    ticket       BLOB    NOT NULL PRIMARY KEY,
    connection   TEXT    NOT NULL,
    provider     TEXT    NOT NULL,
    app          TEXT    NOT NULL,
    subject      TEXT    NOT NULL,
    union_group  TEXT,
    unionid      TEXT,
    nickname     TEXT,
    picture      TEXT,
    expires_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX pending_identity_by_expiry ON pending_identity (expires_at);

CREATE TABLE browser_session (
    id            BLOB    NOT NULL PRIMARY KEY,
    account       BLOB    NOT NULL REFERENCES account (id),
    auth_time     INTEGER NOT NULL,
    amr           TEXT    NOT NULL,
    fresh_for     BLOB,
    -- The identity that signed in, if it was one: unbinding it ends the session.
    via_provider  TEXT,
    via_app       TEXT,
    via_subject   TEXT,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    ended_at      INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX browser_session_by_account ON browser_session (account) WHERE ended_at IS NULL;
CREATE INDEX browser_session_by_expiry ON browser_session (expires_at);

CREATE TABLE consent (
    account   BLOB    NOT NULL REFERENCES account (id),
    client    TEXT    NOT NULL REFERENCES client (id),
    scope     TEXT    NOT NULL,
    given_at  INTEGER NOT NULL,
    PRIMARY KEY (account, client)
) STRICT, WITHOUT ROWID;

-- No foreign keys: the verb that bears a grant reads account and session in the same transaction. With a rowid: as
-- fast as without one here, and a long scope does not spill to another page.
CREATE TABLE "grant" (
    id            BLOB    NOT NULL PRIMARY KEY,
    account       BLOB    NOT NULL,
    client        TEXT    NOT NULL,
    client_epoch  INTEGER NOT NULL,
    session       BLOB,
    auth_time     INTEGER NOT NULL,
    acr           TEXT,
    amr           TEXT    NOT NULL,
    scope         TEXT    NOT NULL,
    resource      TEXT    NOT NULL,
    key_binding   BLOB,
    rotates       INTEGER NOT NULL,
    client_auth   TEXT    NOT NULL,
    parent        BLOB,
    generation    INTEGER NOT NULL,
    rotated_at    INTEGER NOT NULL,
    redeemed_at   INTEGER,
    expires_at    INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    ended_at      INTEGER,
    ended_why     TEXT,
    -- Outlives its session.
    offline       INTEGER NOT NULL,
    -- When the sweep looks at it next. Rotation moves expires_at alone, so that it touches no index.
    sweep_after   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX grant_by_account ON "grant" (account, client);
CREATE INDEX grant_by_session ON "grant" (session, redeemed_at) WHERE session IS NOT NULL AND ended_at IS NULL;
CREATE INDEX grant_by_sweep ON "grant" (sweep_after);

-- What may happen once, by kind and id; a row is kept until an hour after `until`.
CREATE TABLE used (
    kind   TEXT    NOT NULL,
    id     BLOB    NOT NULL,
    until  INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX used_by_expiry ON used (until);

CREATE TABLE audit_event (
    id       INTEGER NOT NULL PRIMARY KEY,
    at       INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    account  BLOB,
    client   TEXT,
    detail   TEXT
) STRICT;
CREATE INDEX audit_event_by_account ON audit_event (account, at) WHERE account IS NOT NULL;
