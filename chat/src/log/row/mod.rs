//! Rows as bytes: fixed big-endian fields behind a version byte, so that keys sort by conversation and seq and a row never depends on serde.
//!
//! A row that does not decode is damage, never a default.

mod entry;
mod fields;
mod head;

pub use entry::{EntryHeader, EntryRow};
pub use fields::MalformedRow;
pub use head::{Origin, decode_head, encode_head};

use super::head::EntryHash;
use super::types::{FeedCursor, Marks};
use crate::ids::{ConversationId, MessageId, UserId};
use crate::seal::Fingerprint;
use fields::Reader;

pub fn entry_key(conversation: ConversationId, seq: u64) -> [u8; 24] {
    let mut key = [0; 24];
    key[..16].copy_from_slice(conversation.as_bytes());
    key[16..].copy_from_slice(&seq.to_be_bytes());
    key
}

/// One per (conversation, sender, message id): the place of the entry, and the fingerprint that tells a retry from an id used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdRow {
    pub seq: u64,
    pub fingerprint: Fingerprint,
}

pub fn id_key(conversation: ConversationId, sender: Option<UserId>, id: MessageId) -> [u8; 48] {
    let mut key = [0; 48];
    key[..16].copy_from_slice(conversation.as_bytes());
    key[16..32].copy_from_slice(sender.unwrap_or(UserId::NIL).as_bytes());
    key[32..].copy_from_slice(id.as_bytes());
    key
}

pub fn decode_id_key(key: &[u8]) -> Result<(ConversationId, Option<UserId>, MessageId), MalformedRow> {
    let mut reader = Reader::new(key);
    let (conversation, sender, id) = (reader.id()?, reader.id::<UserId>()?, reader.id()?);
    reader.end()?;
    Ok((conversation, (sender != UserId::NIL).then_some(sender), id))
}

impl IdRow {
    pub fn encode(&self) -> [u8; 24] {
        let mut row = [0; 24];
        row[..8].copy_from_slice(&self.seq.to_be_bytes());
        row[8..].copy_from_slice(&self.fingerprint.0);
        row
    }

    pub fn decode(row: &[u8]) -> Result<Self, MalformedRow> {
        let mut reader = Reader::new(row);
        let decoded = Self { seq: reader.u64()?, fingerprint: Fingerprint(reader.array()?) };
        reader.end()?;
        Ok(decoded)
    }
}

/// One per entry in commit order, and one with seq 0 per conversation that began without entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedRow {
    pub conversation: ConversationId,
    pub seq: u64,
    /// The feed's chain up to and with this row.
    pub chain: EntryHash,
}

impl FeedRow {
    pub fn encode(&self) -> [u8; 56] {
        let mut row = [0; 56];
        row[..16].copy_from_slice(self.conversation.as_bytes());
        row[16..24].copy_from_slice(&self.seq.to_be_bytes());
        row[24..].copy_from_slice(&self.chain.0);
        row
    }

    pub fn decode(row: &[u8]) -> Result<Self, MalformedRow> {
        let mut reader = Reader::new(row);
        let decoded = Self { conversation: reader.id()?, seq: reader.u64()?, chain: EntryHash(reader.array()?) };
        reader.end()?;
        Ok(decoded)
    }
}

pub fn decode_cursor(key: &[u8]) -> Result<FeedCursor, MalformedRow> {
    let mut reader = Reader::new(key);
    let cursor = reader.u64()?;
    reader.end()?;
    Ok(cursor)
}

/// Key of the membership index (user first) and of marks (conversation first).
pub fn pair_key(first: &[u8; 16], second: &[u8; 16]) -> [u8; 32] {
    let mut key = [0; 32];
    key[..16].copy_from_slice(first);
    key[16..].copy_from_slice(second);
    key
}

/// The second half of a [`pair_key`].
pub fn decode_second<T: From<uuid::Uuid>>(key: &[u8]) -> Result<T, MalformedRow> {
    let mut reader = Reader::new(key);
    reader.array::<16>()?;
    let id = reader.id()?;
    reader.end()?;
    Ok(id)
}

/// A key that is one id.
pub fn decode_id<T: From<uuid::Uuid>>(key: &[u8]) -> Result<T, MalformedRow> {
    let mut reader = Reader::new(key);
    let id = reader.id()?;
    reader.end()?;
    Ok(id)
}

pub fn encode_marks(marks: &Marks) -> [u8; 16] {
    let mut row = [0; 16];
    row[..8].copy_from_slice(&marks.delivered.to_be_bytes());
    row[8..].copy_from_slice(&marks.read.to_be_bytes());
    row
}

pub fn decode_marks(row: &[u8]) -> Result<Marks, MalformedRow> {
    let mut reader = Reader::new(row);
    let marks = Marks { delivered: reader.u64()?, read: reader.u64()? };
    reader.end()?;
    Ok(marks)
}
