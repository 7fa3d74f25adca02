-- A doctor's public page. Name, title, hospital and licence are verified: they change only by vetting (X-40).
CREATE TABLE doctors (
    id                    BLOB PRIMARY KEY,
    tenant_id             BLOB NOT NULL REFERENCES tenants (id),
    user_id               BLOB NOT NULL UNIQUE REFERENCES accounts (id),
    department_id         BLOB NOT NULL REFERENCES departments (id),
    name                  TEXT NOT NULL,
    title                 TEXT NOT NULL,
    hospital              TEXT NOT NULL,
    licence_number_sealed BLOB NOT NULL,
    licence_number_masked TEXT NOT NULL,
    licence_verified_at   INTEGER,
    identity_verified_at  INTEGER,
    avatar_url            TEXT,
    expertise             TEXT NOT NULL,
    biography             TEXT NOT NULL,
    accepting             INTEGER NOT NULL,
    hot_rank              INTEGER,
    rating_sum            INTEGER NOT NULL,
    rating_count          INTEGER NOT NULL,
    consultation_count    INTEGER NOT NULL,
    profile_changed_at    INTEGER,
    created_at            INTEGER NOT NULL
) STRICT;
CREATE INDEX doctors_by_department ON doctors (tenant_id, department_id);

CREATE TABLE doctor_diseases (
    doctor_id  BLOB NOT NULL REFERENCES doctors (id),
    disease_id BLOB NOT NULL REFERENCES diseases (id),
    PRIMARY KEY (doctor_id, disease_id)
) STRICT;
CREATE INDEX doctor_diseases_by_disease ON doctor_diseases (disease_id);

-- What a doctor asks for a kind of consultation over a channel. No row: he does not offer it.
CREATE TABLE doctor_prices (
    doctor_id  BLOB NOT NULL REFERENCES doctors (id),
    kind       TEXT NOT NULL,
    channel    TEXT NOT NULL,
    amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
    PRIMARY KEY (doctor_id, kind, channel)
) STRICT;

-- Within what a doctor of that title may set his price (X-38). No row: nobody of that title offers it.
CREATE TABLE price_bands (
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    title     TEXT NOT NULL,
    kind      TEXT NOT NULL,
    channel   TEXT NOT NULL,
    min_fen   INTEGER NOT NULL CHECK (min_fen > 0),
    max_fen   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, title, kind, channel),
    CHECK (max_fen >= min_fen)
) STRICT;

-- Online periods by weekday (Monday = 1) in minutes of the day, Asia/Shanghai; an end of 1440 is midnight.
CREATE TABLE doctor_hours (
    doctor_id    BLOB NOT NULL REFERENCES doctors (id),
    weekday      INTEGER NOT NULL CHECK (weekday BETWEEN 1 AND 7),
    start_minute INTEGER NOT NULL CHECK (start_minute BETWEEN 0 AND 1439),
    end_minute   INTEGER NOT NULL CHECK (end_minute BETWEEN 1 AND 1440),
    PRIMARY KEY (doctor_id, weekday, start_minute),
    CHECK (end_minute > start_minute)
) STRICT;
