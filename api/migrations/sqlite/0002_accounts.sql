-- People. A patient is found by the keyed hash of his phone, doctors and staff by their account name.
CREATE TABLE accounts (
    id                BLOB PRIMARY KEY,
    tenant_id         BLOB NOT NULL REFERENCES tenants (id),
    role              TEXT NOT NULL CHECK (role IN ('patient', 'doctor', 'staff')),
    account_name      TEXT,
    phone_hash        BLOB,
    phone_sealed      BLOB,
    name_sealed       BLOB,
    sex               TEXT CHECK (sex IN ('male', 'female', 'unknown')),
    birth_date_sealed BLOB,
    password_hash     TEXT,
    avatar_url        TEXT,
    suspended_at      INTEGER,
    created_at        INTEGER NOT NULL,
    UNIQUE (tenant_id, phone_hash),
    UNIQUE (tenant_id, account_name)
) STRICT;

-- What a member of staff may do beyond his role.
CREATE TABLE staff_functions (
    user_id       BLOB NOT NULL REFERENCES accounts (id),
    staff_function TEXT NOT NULL,
    PRIMARY KEY (user_id, staff_function)
) STRICT;

-- Devices on which the person has signed in: a lockout by strangers does not reach them.
CREATE TABLE devices (
    user_id      BLOB NOT NULL REFERENCES accounts (id),
    device_id    BLOB NOT NULL,
    first_seen_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, device_id)
) STRICT;

-- One sign-in on one device; its refresh tokens form a family.
CREATE TABLE sessions (
    id             BLOB PRIMARY KEY,
    user_id        BLOB NOT NULL REFERENCES accounts (id),
    tenant_id      BLOB NOT NULL,
    device_id      BLOB NOT NULL,
    device_label   TEXT NOT NULL,
    remember       INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    last_seen_at   INTEGER NOT NULL,
    idle_until     INTEGER NOT NULL,
    absolute_until INTEGER,
    revoked_at     INTEGER,
    revoked_why    TEXT
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_revoked ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;

-- Each can be used once. Meeting a used one again means that it was stolen: the family is revoked.
CREATE TABLE refresh_tokens (
    token_hash BLOB PRIMARY KEY,
    session_id BLOB NOT NULL REFERENCES sessions (id),
    issued_at  INTEGER NOT NULL,
    used_at    INTEGER
) STRICT;
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

-- Codes that were asked for, also for numbers nobody registered.
CREATE TABLE sms_codes (
    id         BLOB PRIMARY KEY,
    phone_hash BLOB NOT NULL,
    purpose    TEXT NOT NULL,
    code_hash  BLOB NOT NULL,
    peer_hash  BLOB NOT NULL,
    sent_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    tries      INTEGER NOT NULL,
    closed_at  INTEGER
) STRICT;
CREATE INDEX sms_codes_by_phone ON sms_codes (phone_hash, sent_at);
CREATE INDEX sms_codes_by_peer ON sms_codes (peer_hash, sent_at);

-- Failed sign-ins per subject (also of unknown ones) and per known device, or all unknown devices together.
CREATE TABLE sign_in_failures (
    subject_hash BLOB NOT NULL,
    device_scope BLOB NOT NULL,
    failures     INTEGER NOT NULL,
    window_until INTEGER NOT NULL,
    PRIMARY KEY (subject_hash, device_scope)
) STRICT;
