//! Attachments: pictures and voice messages, sniffed, re-encoded, sealed and stored.
