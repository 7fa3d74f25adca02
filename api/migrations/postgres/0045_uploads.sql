-- What people upload. The bytes lie sealed in the blob store; this row says what they are, whose, and who may see them.
CREATE TABLE attachments (
    id              UUID PRIMARY KEY,
    tenant_id       UUID NOT NULL REFERENCES tenants (id),
    uploader_id     UUID NOT NULL REFERENCES accounts (id),
    kind            TEXT NOT NULL CHECK (kind IN ('image', 'voice')),
    mime            TEXT NOT NULL,
    bytes           BIGINT NOT NULL CHECK (bytes > 0),
    width_px        BIGINT,
    height_px       BIGINT,
    duration_ms     BIGINT,
    blob_id         UUID NOT NULL UNIQUE,
    -- uploaded: nobody else sees it, and it is swept after a day. discarded: its blob is being deleted.
    state           TEXT NOT NULL CHECK (state IN ('uploaded', 'attached', 'discarded')),
    consultation_id UUID,
    -- The doctor who reads the intake before he is a member of the conversation.
    reader_id       UUID,
    conversation_id UUID,
    -- The first message that used it; no other may.
    message_id      UUID,
    created_at      BIGINT NOT NULL,
    attached_at     BIGINT
);
CREATE INDEX attachments_by_uploader ON attachments (uploader_id, created_at);
