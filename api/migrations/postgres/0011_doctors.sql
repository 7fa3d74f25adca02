-- A doctor's public page. Name, title, hospital and licence are verified: they change only by vetting (X-40).
CREATE TABLE doctors (
    id                    UUID PRIMARY KEY,
    tenant_id             UUID NOT NULL REFERENCES tenants (id),
    user_id               UUID NOT NULL UNIQUE REFERENCES accounts (id),
    department_id         UUID NOT NULL REFERENCES departments (id),
    name                  TEXT NOT NULL,
    title                 TEXT NOT NULL,
    hospital              TEXT NOT NULL,
    licence_number_sealed BYTEA NOT NULL,
    licence_number_masked TEXT NOT NULL,
    licence_verified_at   BIGINT,
    identity_verified_at  BIGINT,
    avatar_url            TEXT,
    expertise             TEXT NOT NULL,
    biography             TEXT NOT NULL,
    accepting             BOOLEAN NOT NULL,
    hot_rank              BIGINT,
    rating_sum            BIGINT NOT NULL,
    rating_count          BIGINT NOT NULL,
    consultation_count    BIGINT NOT NULL,
    profile_changed_at    BIGINT,
    created_at            BIGINT NOT NULL
);
CREATE INDEX doctors_by_department ON doctors (tenant_id, department_id);

CREATE TABLE doctor_diseases (
    doctor_id  UUID NOT NULL REFERENCES doctors (id),
    disease_id UUID NOT NULL REFERENCES diseases (id),
    PRIMARY KEY (doctor_id, disease_id)
);
CREATE INDEX doctor_diseases_by_disease ON doctor_diseases (disease_id);

-- What a doctor asks for a kind of consultation over a channel. No row: he does not offer it.
CREATE TABLE doctor_prices (
    doctor_id  UUID NOT NULL REFERENCES doctors (id),
    kind       TEXT NOT NULL,
    channel    TEXT NOT NULL,
    amount_fen BIGINT NOT NULL CHECK (amount_fen > 0),
    PRIMARY KEY (doctor_id, kind, channel)
);

-- Within what a doctor of that title may set his price (X-38). No row: nobody of that title offers it.
CREATE TABLE price_bands (
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    title     TEXT NOT NULL,
    kind      TEXT NOT NULL,
    channel   TEXT NOT NULL,
    min_fen   BIGINT NOT NULL CHECK (min_fen > 0),
    max_fen   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, title, kind, channel),
    CHECK (max_fen >= min_fen)
);

-- Online periods by weekday (Monday = 1) in minutes of the day, Asia/Shanghai; an end of 1440 is midnight.
CREATE TABLE doctor_hours (
    doctor_id    UUID NOT NULL REFERENCES doctors (id),
    weekday      BIGINT NOT NULL CHECK (weekday BETWEEN 1 AND 7),
    start_minute BIGINT NOT NULL CHECK (start_minute BETWEEN 0 AND 1439),
    end_minute   BIGINT NOT NULL CHECK (end_minute BETWEEN 1 AND 1440),
    PRIMARY KEY (doctor_id, weekday, start_minute),
    CHECK (end_minute > start_minute)
);
