-- What people upload. The bytes lie sealed in the blob store; this row says what they are, whose, and who may see them.
CREATE TABLE attachments (
    id              BLOB PRIMARY KEY,
    tenant_id       BLOB NOT NULL REFERENCES tenants (id),
    uploader_id     BLOB NOT NULL REFERENCES accounts (id),
    kind            TEXT NOT NULL CHECK (kind IN ('image', 'voice')),
    mime            TEXT NOT NULL,
    bytes           INTEGER NOT NULL CHECK (bytes > 0),
    width_px        INTEGER,
    height_px       INTEGER,
    duration_ms     INTEGER,
    blob_id         BLOB NOT NULL UNIQUE,
    -- uploaded: nobody else sees it, and it is swept after a day. discarded: its blob is being deleted.
    state           TEXT NOT NULL CHECK (state IN ('uploaded', 'attached', 'discarded')),
    consultation_id BLOB,
    -- The doctor who reads the intake before he is a member of the conversation.
    reader_id       BLOB,
    conversation_id BLOB,
    -- The first message that used it; no other may.
    message_id      BLOB,
    created_at      INTEGER NOT NULL,
    attached_at     INTEGER
) STRICT;
CREATE INDEX attachments_by_uploader ON attachments (uploader_id, created_at);
