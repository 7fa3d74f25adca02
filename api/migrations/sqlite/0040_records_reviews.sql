-- One record per consultation: a draft while the doctor writes, fixed once signed.
CREATE TABLE records (
    consultation_id BLOB PRIMARY KEY REFERENCES consultations (id),
    tenant_id       BLOB NOT NULL REFERENCES tenants (id),
    patient_id      BLOB NOT NULL,
    author_id       BLOB NOT NULL,
    kind            TEXT NOT NULL CHECK (kind IN ('advice', 'return_visit')),
    content_sealed  BLOB NOT NULL,
    version         INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    signed_at       INTEGER,
    -- SHA-256 of the canonical content with consultation, author and moment.
    signed_hash     BLOB
) STRICT;
CREATE INDEX records_by_patient ON records (patient_id, signed_at) WHERE signed_at IS NOT NULL;

-- Reads of clinical data by somebody other than the patient, written before the answer leaves.
CREATE TABLE clinical_reads (
    id              BLOB PRIMARY KEY,
    tenant_id       BLOB NOT NULL,
    consultation_id BLOB NOT NULL,
    reader_id       BLOB NOT NULL,
    session_id      BLOB NOT NULL,
    what            TEXT NOT NULL,
    purpose         TEXT NOT NULL,
    at              INTEGER NOT NULL
) STRICT;
CREATE INDEX clinical_reads_by_consultation ON clinical_reads (consultation_id, at);

-- One review per consultation. Shown only after a reviewer said so (REV-02); the author's id never leaves this table (X-17).
CREATE TABLE reviews (
    id              BLOB PRIMARY KEY,
    consultation_id BLOB NOT NULL UNIQUE REFERENCES consultations (id),
    tenant_id       BLOB NOT NULL REFERENCES tenants (id),
    doctor_id       BLOB NOT NULL,
    patient_id      BLOB NOT NULL,
    score           INTEGER NOT NULL CHECK (score BETWEEN 1 AND 5),
    body            TEXT NOT NULL,
    tags            TEXT NOT NULL,
    anonymous       INTEGER NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('pending', 'shown', 'hidden')),
    created_at      INTEGER NOT NULL,
    decided_at      INTEGER,
    decided_by      BLOB,
    hidden_reason   TEXT
) STRICT;
CREATE INDEX reviews_by_doctor ON reviews (doctor_id, state, created_at);
CREATE INDEX reviews_by_state ON reviews (tenant_id, state, created_at);
