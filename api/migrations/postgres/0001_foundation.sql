-- The hospital of this installation; every row that belongs to a hospital names it.
CREATE TABLE tenants (
    id         UUID PRIMARY KEY,
    created_at BIGINT NOT NULL
);

-- Effects wanted by a committed change. Open: closed_at IS NULL. Handled rows stay for a while: a restore reopens them.
CREATE TABLE outbox (
    seq           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic         TEXT NOT NULL,
    object_key    UUID NOT NULL,
    payload       TEXT NOT NULL,
    enqueued_at   BIGINT NOT NULL,
    due_at        BIGINT NOT NULL,
    attempts      BIGINT NOT NULL,
    claim         UUID,
    claimed_until BIGINT,
    closed_at     BIGINT,
    dead          BOOLEAN,
    last_error    TEXT
);
CREATE INDEX outbox_open ON outbox (due_at) WHERE closed_at IS NULL;
CREATE INDEX outbox_open_by_key ON outbox (object_key, seq) WHERE closed_at IS NULL;

-- At most one live timer of a kind per object.
CREATE TABLE timers (
    id             UUID PRIMARY KEY,
    kind           TEXT NOT NULL,
    object         UUID NOT NULL,
    expected_state TEXT NOT NULL,
    due_at         BIGINT NOT NULL,
    retry_at       BIGINT NOT NULL,
    attempts       BIGINT NOT NULL,
    claim          UUID,
    claimed_until  BIGINT,
    UNIQUE (kind, object)
);
CREATE INDEX timers_due ON timers (retry_at);

-- First answers of POSTs that carried an Idempotency-Key.
CREATE TABLE idempotency (
    user_id         UUID NOT NULL,
    scope           TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    body_hash       BYTEA NOT NULL,
    answer_sealed   BYTEA,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (user_id, scope, idempotency_key)
);
CREATE INDEX idempotency_age ON idempotency (created_at);
