//! The hash chain: SHA-256 over (previous hash, header, hash of the sealed body). No key is needed to check it.
//!
//! The feed has a chain of its own over all conversations in commit order; its end is what the tail anchor remembers.

use super::head::EntryHash;
use super::row::EntryHeader;
use crate::ids::ConversationId;
use sha2::{Digest, Sha256};

/// Hash "of entry 0": the conversation's id.
pub fn beginning(conversation: ConversationId) -> EntryHash {
    let mut hasher = Sha256::new();
    hasher.update(b"wenzhen conversation v1");
    hasher.update(conversation.as_bytes());
    EntryHash(hasher.finalize().into())
}

pub fn sealed_hash(sealed: &[u8]) -> [u8; 32] {
    Sha256::digest(sealed).into()
}

pub fn next(previous: &EntryHash, conversation: ConversationId, seq: u64, header: &EntryHeader, sealed_hash: &[u8; 32]) -> EntryHash {
    let mut hasher = Sha256::new();
    hasher.update(previous.0);
    hasher.update(conversation.as_bytes());
    hasher.update(seq.to_be_bytes());
    hasher.update(header.encode());
    hasher.update(sealed_hash);
    EntryHash(hasher.finalize().into())
}

/// Feed position `cursor` follows `previous`. A new conversation without entries stands in the feed with seq 0.
pub fn feed_next(previous: &EntryHash, cursor: u64, conversation: ConversationId, seq: u64, entry: &EntryHash) -> EntryHash {
    let mut hasher = Sha256::new();
    hasher.update(previous.0);
    hasher.update(cursor.to_be_bytes());
    hasher.update(conversation.as_bytes());
    hasher.update(seq.to_be_bytes());
    hasher.update(entry.0);
    EntryHash(hasher.finalize().into())
}

pub const FEED_BEGINNING: EntryHash = EntryHash([0; 32]);
