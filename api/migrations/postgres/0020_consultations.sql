-- A consultation: its clinical state only; money stands with the order, talk stands in the log.
CREATE TABLE consultations (
    id              UUID PRIMARY KEY,
    tenant_id       UUID NOT NULL REFERENCES tenants (id),
    -- The consultation that this free follow-up continues.
    parent_id       UUID REFERENCES consultations (id),
    patient_id      UUID NOT NULL REFERENCES accounts (id),
    doctor_id       UUID NOT NULL,
    doctor_user_id  UUID NOT NULL REFERENCES accounts (id),
    conversation_id UUID NOT NULL UNIQUE,
    kind            TEXT NOT NULL CHECK (kind IN ('advice', 'return_visit')),
    channel         TEXT NOT NULL CHECK (channel IN ('text', 'voice', 'video')),
    -- The state's word, and the whole state with its data as JSON.
    state           TEXT NOT NULL,
    state_data      TEXT NOT NULL,
    version         BIGINT NOT NULL,
    -- Snapshot: a later change of the doctor's price does not reach it (ORD-01).
    price_fen       BIGINT NOT NULL CHECK (price_fen >= 0),
    intake_sealed   BYTEA NOT NULL,
    proof_sealed    BYTEA,
    -- The doctor's judgement at accept (REG-03).
    meets_conditions BOOLEAN,
    -- Why it was rejected or terminated, in the doctor's words.
    reason_sealed   BYTEA,
    created_at      BIGINT NOT NULL,
    paid_at         BIGINT,
    accepted_at     BIGINT,
    over_at         BIGINT,
    -- In progress and the doctor has not answered yet: the follower of the log looks for his first words.
    awaits_reply    BOOLEAN NOT NULL
);
CREATE INDEX consultations_by_patient ON consultations (patient_id, created_at);
CREATE INDEX consultations_by_doctor ON consultations (doctor_user_id, state, created_at);
CREATE INDEX consultations_by_parent ON consultations (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX consultations_awaiting ON consultations (conversation_id) WHERE awaits_reply;

-- One row for each transition, in the order of versions.
CREATE TABLE consultation_history (
    consultation_id UUID NOT NULL REFERENCES consultations (id),
    version         BIGINT NOT NULL,
    event           TEXT NOT NULL,
    from_state      TEXT,
    to_state        TEXT NOT NULL,
    -- Empty: the server itself (a timer, a payment notice, the log).
    actor_id        UUID,
    detail          TEXT,
    at              BIGINT NOT NULL,
    PRIMARY KEY (consultation_id, version)
);

-- What was shown and agreed to, by whom and when (REG-07, CON-08, CON-23).
CREATE TABLE consultation_consents (
    consultation_id UUID NOT NULL REFERENCES consultations (id),
    user_id         UUID NOT NULL,
    kind            TEXT NOT NULL,
    notice_version  TEXT NOT NULL,
    text_hash       BYTEA NOT NULL,
    given_at        BIGINT NOT NULL,
    PRIMARY KEY (consultation_id, user_id, kind)
);

-- How far a consumer of the log's changes has come.
CREATE TABLE log_cursors (
    consumer TEXT PRIMARY KEY,
    position BIGINT NOT NULL
);
