-- What a patient owes for one service. Commercial state and refund state are two fields; the stage is what the subject says
-- about the service itself, for the words people read.
CREATE TABLE orders (
    id           UUID PRIMARY KEY,
    tenant       UUID NOT NULL REFERENCES tenants (id),
    order_no     TEXT NOT NULL UNIQUE,
    patient      UUID NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id   UUID NOT NULL,
    title        TEXT NOT NULL,
    amount_fen   BIGINT NOT NULL CHECK (amount_fen > 0),
    state        TEXT NOT NULL,
    refund_state TEXT NOT NULL,
    stage        TEXT NOT NULL,
    version      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    paid_at      BIGINT,
    UNIQUE (subject_kind, subject_id)
);
CREATE INDEX orders_of_patient ON orders (patient, created_at);

-- Append-only history of an order, one row per version.
CREATE TABLE order_events (
    order_id UUID NOT NULL REFERENCES orders (id),
    version  BIGINT NOT NULL,
    event    TEXT NOT NULL,
    actor    UUID,
    inputs   TEXT NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (order_id, version)
);

CREATE TABLE payments (
    id                  UUID PRIMARY KEY,
    order_id            UUID NOT NULL REFERENCES orders (id),
    channel             TEXT NOT NULL,
    out_trade_no        TEXT NOT NULL UNIQUE,
    amount_fen          BIGINT NOT NULL CHECK (amount_fen > 0),
    state               TEXT NOT NULL,
    prepay_id           TEXT,
    code_url            TEXT,
    transaction_id      TEXT,
    captured_at         BIGINT,
    refund_reserved_fen BIGINT NOT NULL CHECK (refund_reserved_fen BETWEEN 0 AND amount_fen),
    queries             BIGINT NOT NULL,
    version             BIGINT NOT NULL,
    created_at          BIGINT NOT NULL,
    UNIQUE (channel, transaction_id)
);
CREATE UNIQUE INDEX payments_live ON payments (order_id, channel) WHERE state IN ('init', 'prepaid', 'unknown');
CREATE INDEX payments_of_order ON payments (order_id);

-- One out_refund_no for life; the channel pays a number back once.
CREATE TABLE refunds (
    id            UUID PRIMARY KEY,
    order_id      UUID NOT NULL REFERENCES orders (id),
    payment_id    UUID NOT NULL REFERENCES payments (id),
    out_refund_no TEXT NOT NULL UNIQUE,
    amount_fen    BIGINT NOT NULL CHECK (amount_fen > 0),
    state         TEXT NOT NULL,
    reason        TEXT NOT NULL,
    requested_by  UUID,
    note_sealed   BYTEA,
    inputs        TEXT NOT NULL,
    queries       BIGINT NOT NULL,
    version       BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    finished_at   BIGINT
);
CREATE INDEX refunds_of_order ON refunds (order_id);
CREATE INDEX refunds_of_payment ON refunds (payment_id);

-- Verified notices of channels: taken first, applied from here. Facts only, no payer's data.
CREATE TABLE payment_notices (
    id          UUID PRIMARY KEY,
    channel     TEXT NOT NULL,
    notice_id   TEXT NOT NULL,
    serial      TEXT NOT NULL,
    nonce       TEXT NOT NULL,
    kind        TEXT NOT NULL,
    object      UUID NOT NULL,
    fact        TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    applied_at  BIGINT,
    UNIQUE (channel, notice_id),
    UNIQUE (channel, serial, nonce)
);

-- Signed notices that were not believed: somebody has to look at these.
CREATE TABLE payment_notice_refusals (
    id          UUID PRIMARY KEY,
    channel     TEXT NOT NULL,
    kind        TEXT NOT NULL,
    code        TEXT NOT NULL,
    refused_at  BIGINT NOT NULL
);
