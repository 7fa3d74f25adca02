-- One record per consultation: a draft while the doctor writes, fixed once signed.
CREATE TABLE records (
    consultation_id UUID PRIMARY KEY REFERENCES consultations (id),
    tenant_id       UUID NOT NULL REFERENCES tenants (id),
    patient_id      UUID NOT NULL,
    author_id       UUID NOT NULL,
    kind            TEXT NOT NULL CHECK (kind IN ('advice', 'return_visit')),
    content_sealed  BYTEA NOT NULL,
    version         BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    signed_at       BIGINT,
    -- SHA-256 of the canonical content with consultation, author and moment.
    signed_hash     BYTEA
);
CREATE INDEX records_by_patient ON records (patient_id, signed_at) WHERE signed_at IS NOT NULL;

-- Reads of clinical data by somebody other than the patient, written before the answer leaves.
CREATE TABLE clinical_reads (
    id              UUID PRIMARY KEY,
    tenant_id       UUID NOT NULL,
    consultation_id UUID NOT NULL,
    reader_id       UUID NOT NULL,
    session_id      UUID NOT NULL,
    what            TEXT NOT NULL,
    purpose         TEXT NOT NULL,
    at              BIGINT NOT NULL
);
CREATE INDEX clinical_reads_by_consultation ON clinical_reads (consultation_id, at);

-- One review per consultation. Shown only after a reviewer said so (REV-02); the author's id never leaves this table (X-17).
CREATE TABLE reviews (
    id              UUID PRIMARY KEY,
    consultation_id UUID NOT NULL UNIQUE REFERENCES consultations (id),
    tenant_id       UUID NOT NULL REFERENCES tenants (id),
    doctor_id       UUID NOT NULL,
    patient_id      UUID NOT NULL,
    score           BIGINT NOT NULL CHECK (score BETWEEN 1 AND 5),
    body            TEXT NOT NULL,
    tags            TEXT NOT NULL,
    anonymous       BOOLEAN NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('pending', 'shown', 'hidden')),
    created_at      BIGINT NOT NULL,
    decided_at      BIGINT,
    decided_by      UUID,
    hidden_reason   TEXT
);
CREATE INDEX reviews_by_doctor ON reviews (doctor_id, state, created_at);
CREATE INDEX reviews_by_state ON reviews (tenant_id, state, created_at);
