-- What a patient owes for one service. Commercial state and refund state are two fields; the stage is what the subject says
-- about the service itself, for the words people read.
CREATE TABLE orders (
    id           BLOB PRIMARY KEY,
    tenant       BLOB NOT NULL REFERENCES tenants (id),
    order_no     TEXT NOT NULL UNIQUE,
    patient      BLOB NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id   BLOB NOT NULL,
    title        TEXT NOT NULL,
    amount_fen   INTEGER NOT NULL CHECK (amount_fen > 0),
    state        TEXT NOT NULL,
    refund_state TEXT NOT NULL,
    stage        TEXT NOT NULL,
    version      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    paid_at      INTEGER,
    UNIQUE (subject_kind, subject_id)
) STRICT;
CREATE INDEX orders_of_patient ON orders (patient, created_at);

-- Append-only history of an order, one row per version.
CREATE TABLE order_events (
    order_id BLOB NOT NULL REFERENCES orders (id),
    version  INTEGER NOT NULL,
    event    TEXT NOT NULL,
    actor    BLOB,
    inputs   TEXT NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (order_id, version)
) STRICT;

CREATE TABLE payments (
    id                  BLOB PRIMARY KEY,
    order_id            BLOB NOT NULL REFERENCES orders (id),
    channel             TEXT NOT NULL,
    out_trade_no        TEXT NOT NULL UNIQUE,
    amount_fen          INTEGER NOT NULL CHECK (amount_fen > 0),
    state               TEXT NOT NULL,
    prepay_id           TEXT,
    code_url            TEXT,
    transaction_id      TEXT,
    captured_at         INTEGER,
    refund_reserved_fen INTEGER NOT NULL CHECK (refund_reserved_fen BETWEEN 0 AND amount_fen),
    queries             INTEGER NOT NULL,
    version             INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    UNIQUE (channel, transaction_id)
) STRICT;
CREATE UNIQUE INDEX payments_live ON payments (order_id, channel) WHERE state IN ('init', 'prepaid', 'unknown');
CREATE INDEX payments_of_order ON payments (order_id);

-- One out_refund_no for life; the channel pays a number back once.
CREATE TABLE refunds (
    id            BLOB PRIMARY KEY,
    order_id      BLOB NOT NULL REFERENCES orders (id),
    payment_id    BLOB NOT NULL REFERENCES payments (id),
    out_refund_no TEXT NOT NULL UNIQUE,
    amount_fen    INTEGER NOT NULL CHECK (amount_fen > 0),
    state         TEXT NOT NULL,
    reason        TEXT NOT NULL,
    requested_by  BLOB,
    note_sealed   BLOB,
    inputs        TEXT NOT NULL,
    queries       INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    finished_at   INTEGER
) STRICT;
CREATE INDEX refunds_of_order ON refunds (order_id);
CREATE INDEX refunds_of_payment ON refunds (payment_id);

-- Verified notices of channels: taken first, applied from here. Facts only, no payer's data.
CREATE TABLE payment_notices (
    id          BLOB PRIMARY KEY,
    channel     TEXT NOT NULL,
    notice_id   TEXT NOT NULL,
    serial      TEXT NOT NULL,
    nonce       TEXT NOT NULL,
    kind        TEXT NOT NULL,
    object      BLOB NOT NULL,
    fact        TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    applied_at  INTEGER,
    UNIQUE (channel, notice_id),
    UNIQUE (channel, serial, nonce)
) STRICT;

-- Signed notices that were not believed: somebody has to look at these.
CREATE TABLE payment_notice_refusals (
    id          BLOB PRIMARY KEY,
    channel     TEXT NOT NULL,
    kind        TEXT NOT NULL,
    code        TEXT NOT NULL,
    refused_at  INTEGER NOT NULL
) STRICT;
