-- People. A patient is found by the keyed hash of his phone, doctors and staff by their account name.
CREATE TABLE accounts (
    id                UUID PRIMARY KEY,
    tenant_id         UUID NOT NULL REFERENCES tenants (id),
    role              TEXT NOT NULL CHECK (role IN ('patient', 'doctor', 'staff')),
    account_name      TEXT,
    phone_hash        BYTEA,
    phone_sealed      BYTEA,
    name_sealed       BYTEA,
    sex               TEXT CHECK (sex IN ('male', 'female', 'unknown')),
    birth_date_sealed BYTEA,
    password_hash     TEXT,
    avatar_url        TEXT,
    suspended_at      BIGINT,
    created_at        BIGINT NOT NULL,
    UNIQUE (tenant_id, phone_hash),
    UNIQUE (tenant_id, account_name)
);

-- What a member of staff may do beyond his role.
CREATE TABLE staff_functions (
    user_id       UUID NOT NULL REFERENCES accounts (id),
    staff_function TEXT NOT NULL,
    PRIMARY KEY (user_id, staff_function)
);

-- Devices on which the person has signed in: a lockout by strangers does not reach them.
CREATE TABLE devices (
    user_id      UUID NOT NULL REFERENCES accounts (id),
    device_id    UUID NOT NULL,
    first_seen_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, device_id)
);

-- One sign-in on one device; its refresh tokens form a family.
CREATE TABLE sessions (
    id             UUID PRIMARY KEY,
    user_id        UUID NOT NULL REFERENCES accounts (id),
    tenant_id      UUID NOT NULL,
    device_id      UUID NOT NULL,
    device_label   TEXT NOT NULL,
    remember       BOOLEAN NOT NULL,
    created_at     BIGINT NOT NULL,
    last_seen_at   BIGINT NOT NULL,
    idle_until     BIGINT NOT NULL,
    absolute_until BIGINT,
    revoked_at     BIGINT,
    revoked_why    TEXT
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_revoked ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;

-- Each can be used once. Meeting a used one again means that it was stolen: the family is revoked.
CREATE TABLE refresh_tokens (
    token_hash BYTEA PRIMARY KEY,
    session_id UUID NOT NULL REFERENCES sessions (id),
    issued_at  BIGINT NOT NULL,
    used_at    BIGINT
);
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

-- Codes that were asked for, also for numbers nobody registered.
CREATE TABLE sms_codes (
    id         UUID PRIMARY KEY,
    phone_hash BYTEA NOT NULL,
    purpose    TEXT NOT NULL,
    code_hash  BYTEA NOT NULL,
    peer_hash  BYTEA NOT NULL,
    sent_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    tries      BIGINT NOT NULL,
    closed_at  BIGINT
);
CREATE INDEX sms_codes_by_phone ON sms_codes (phone_hash, sent_at);
CREATE INDEX sms_codes_by_peer ON sms_codes (peer_hash, sent_at);

-- Failed sign-ins per subject (also of unknown ones) and per known device, or all unknown devices together.
CREATE TABLE sign_in_failures (
    subject_hash BYTEA NOT NULL,
    device_scope UUID NOT NULL,
    failures     BIGINT NOT NULL,
    window_until BIGINT NOT NULL,
    PRIMARY KEY (subject_hash, device_scope)
);
