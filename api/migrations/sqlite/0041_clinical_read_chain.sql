-- Each read is chained to the one before it: a row that was changed, removed or put in between shows (`wenzhen verify`).
-- Reads from before have no number; a conversation may be read that belongs to no consultation.
CREATE TABLE clinical_reads_chained (
    id              BLOB PRIMARY KEY,
    tenant_id       BLOB NOT NULL,
    consultation_id BLOB,
    conversation_id BLOB,
    reader_id       BLOB NOT NULL,
    session_id      BLOB NOT NULL,
    what            TEXT NOT NULL,
    purpose         TEXT NOT NULL,
    at              INTEGER NOT NULL,
    seq             INTEGER,
    prev_hash       BLOB,
    hash            BLOB,
    CHECK ((seq IS NULL) = (prev_hash IS NULL) AND (seq IS NULL) = (hash IS NULL)),
    UNIQUE (tenant_id, seq)
) STRICT;
INSERT INTO clinical_reads_chained (id, tenant_id, consultation_id, reader_id, session_id, what, purpose, at)
    SELECT id, tenant_id, consultation_id, reader_id, session_id, what, purpose, at FROM clinical_reads;
DROP TABLE clinical_reads;
ALTER TABLE clinical_reads_chained RENAME TO clinical_reads;
CREATE INDEX clinical_reads_by_consultation ON clinical_reads (consultation_id, at);
CREATE INDEX clinical_reads_by_conversation ON clinical_reads (conversation_id, at);

-- Where a hospital's chain ends: a cut-off tail shows too. Writers take turns at this row.
CREATE TABLE clinical_read_heads (
    tenant_id BLOB PRIMARY KEY,
    seq       INTEGER NOT NULL,
    hash      BLOB NOT NULL
) STRICT;
