-- Each read is chained to the one before it: a row that was changed, removed or put in between shows (`wenzhen verify`).
-- Reads from before have no number; a conversation may be read that belongs to no consultation.
ALTER TABLE clinical_reads
    ALTER COLUMN consultation_id DROP NOT NULL,
    ADD COLUMN conversation_id UUID,
    ADD COLUMN seq BIGINT,
    ADD COLUMN prev_hash BYTEA,
    ADD COLUMN hash BYTEA,
    ADD CHECK ((seq IS NULL) = (prev_hash IS NULL) AND (seq IS NULL) = (hash IS NULL)),
    ADD UNIQUE (tenant_id, seq);
CREATE INDEX clinical_reads_by_conversation ON clinical_reads (conversation_id, at);

-- Where a hospital's chain ends: a cut-off tail shows too. Writers take turns at this row.
CREATE TABLE clinical_read_heads (
    tenant_id UUID PRIMARY KEY,
    seq       BIGINT NOT NULL,
    hash      BYTEA NOT NULL
);
