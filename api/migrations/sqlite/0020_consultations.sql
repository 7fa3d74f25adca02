-- A consultation: its clinical state only; money stands with the order, talk stands in the log.
CREATE TABLE consultations (
    id              BLOB PRIMARY KEY,
    tenant_id       BLOB NOT NULL REFERENCES tenants (id),
    -- The consultation that this free follow-up continues.
    parent_id       BLOB REFERENCES consultations (id),
    patient_id      BLOB NOT NULL REFERENCES accounts (id),
    doctor_id       BLOB NOT NULL,
    doctor_user_id  BLOB NOT NULL REFERENCES accounts (id),
    conversation_id BLOB NOT NULL UNIQUE,
    kind            TEXT NOT NULL CHECK (kind IN ('advice', 'return_visit')),
    channel         TEXT NOT NULL CHECK (channel IN ('text', 'voice', 'video')),
    -- The state's word, and the whole state with its data as JSON.
    state           TEXT NOT NULL,
    state_data      TEXT NOT NULL,
    version         INTEGER NOT NULL,
    -- Snapshot: a later change of the doctor's price does not reach it (ORD-01).
    price_fen       INTEGER NOT NULL CHECK (price_fen >= 0),
    intake_sealed   BLOB NOT NULL,
    proof_sealed    BLOB,
    -- The doctor's judgement at accept (REG-03).
    meets_conditions INTEGER,
    -- Why it was rejected or terminated, in the doctor's words.
    reason_sealed   BLOB,
    created_at      INTEGER NOT NULL,
    paid_at         INTEGER,
    accepted_at     INTEGER,
    over_at         INTEGER,
    -- In progress and the doctor has not answered yet: the follower of the log looks for his first words.
    awaits_reply    INTEGER NOT NULL
) STRICT;
CREATE INDEX consultations_by_patient ON consultations (patient_id, created_at);
CREATE INDEX consultations_by_doctor ON consultations (doctor_user_id, state, created_at);
CREATE INDEX consultations_by_parent ON consultations (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX consultations_awaiting ON consultations (conversation_id) WHERE awaits_reply = 1;

-- One row for each transition, in the order of versions.
CREATE TABLE consultation_history (
    consultation_id BLOB NOT NULL REFERENCES consultations (id),
    version         INTEGER NOT NULL,
    event           TEXT NOT NULL,
    from_state      TEXT,
    to_state        TEXT NOT NULL,
    -- Empty: the server itself (a timer, a payment notice, the log).
    actor_id        BLOB,
    detail          TEXT,
    at              INTEGER NOT NULL,
    PRIMARY KEY (consultation_id, version)
) STRICT;

-- What was shown and agreed to, by whom and when (REG-07, CON-08, CON-23).
CREATE TABLE consultation_consents (
    consultation_id BLOB NOT NULL REFERENCES consultations (id),
    user_id         BLOB NOT NULL,
    kind            TEXT NOT NULL,
    notice_version  TEXT NOT NULL,
    text_hash       BLOB NOT NULL,
    given_at        INTEGER NOT NULL,
    PRIMARY KEY (consultation_id, user_id, kind)
) STRICT;

-- How far a consumer of the log's changes has come.
CREATE TABLE log_cursors (
    consumer TEXT PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT;
