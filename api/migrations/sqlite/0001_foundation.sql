-- The hospital of this installation; every row that belongs to a hospital names it.
CREATE TABLE tenants (
    id         BLOB PRIMARY KEY,
    created_at INTEGER NOT NULL
) STRICT;

-- Effects wanted by a committed change. Open: closed_at IS NULL. Handled rows stay for a while: a restore reopens them.
CREATE TABLE outbox (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT,
    topic         TEXT NOT NULL,
    object_key    BLOB NOT NULL,
    payload       TEXT NOT NULL,
    enqueued_at   INTEGER NOT NULL,
    due_at        INTEGER NOT NULL,
    attempts      INTEGER NOT NULL,
    claim         BLOB,
    claimed_until INTEGER,
    closed_at     INTEGER,
    dead          INTEGER,
    last_error    TEXT
) STRICT;
CREATE INDEX outbox_open ON outbox (due_at) WHERE closed_at IS NULL;
CREATE INDEX outbox_open_by_key ON outbox (object_key, seq) WHERE closed_at IS NULL;

-- At most one live timer of a kind per object.
CREATE TABLE timers (
    id             BLOB PRIMARY KEY,
    kind           TEXT NOT NULL,
    object         BLOB NOT NULL,
    expected_state TEXT NOT NULL,
    due_at         INTEGER NOT NULL,
    retry_at       INTEGER NOT NULL,
    attempts       INTEGER NOT NULL,
    claim          BLOB,
    claimed_until  INTEGER,
    UNIQUE (kind, object)
) STRICT;
CREATE INDEX timers_due ON timers (retry_at);

-- First answers of POSTs that carried an Idempotency-Key.
CREATE TABLE idempotency (
    user_id         BLOB NOT NULL,
    scope           TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    body_hash       BLOB NOT NULL,
    answer_sealed   BLOB,
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (user_id, scope, idempotency_key)
) STRICT;
CREATE INDEX idempotency_age ON idempotency (created_at);
