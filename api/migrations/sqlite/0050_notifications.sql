-- What happened, told to one person. The text is sealed with his key: it may name his doctor or his complaint.
CREATE TABLE notifications (
    id          BLOB PRIMARY KEY,
    user_id     BLOB NOT NULL REFERENCES accounts (id),
    category    TEXT NOT NULL CHECK (category IN ('order', 'doctor', 'platform')),
    title       TEXT NOT NULL,
    text_sealed BLOB NOT NULL,
    link_object TEXT,
    link_id     BLOB,
    created_at  INTEGER NOT NULL,
    read_at     INTEGER
) STRICT;
CREATE INDEX notifications_by_user ON notifications (user_id, created_at);
CREATE INDEX notifications_unread ON notifications (user_id) WHERE read_at IS NULL;
