//! Reads that may touch the disk; they run on the blocking pool. Every entry that leaves here was checked against the chain and its seal.

use super::store::Store;
use super::tails::Tails;
use crate::ids::{ConversationId, UserId};
use crate::log::chain;
use crate::log::error::LogError;
use crate::log::head::{EntryHash, Head, LiveCall};
use crate::log::row::{self, EntryRow, FeedRow};
use crate::log::types::{Change, Changes, FeedCursor, Link};
use crate::seal::DataKey;
use crate::wire;
use prost::Message;
use std::sync::Arc;

/// How many of a user's conversations are looked at, newest first, to find those with the newest activity.
const CONVERSATIONS_SCANNED_MAX: usize = 10_000;

pub async fn blocking<T: Send + 'static>(read: impl FnOnce() -> Result<T, LogError> + Send + 'static) -> Result<T, LogError> {
    tokio::task::spawn_blocking(read).await.unwrap_or(Err(LogError::Stopped))
}

/// Without a key the bodies are withheld as erased; the chain is checked all the same.
pub fn entries(
    store: &Store,
    key: Option<&DataKey>,
    conversation: ConversationId,
    from_seq: u64,
    limit: usize,
) -> Result<Vec<Arc<wire::Entry>>, LogError> {
    rows(store, conversation, from_seq, limit, |seq, row| Ok(Arc::new(open(key, conversation, seq, row)?)))
}

pub fn links(store: &Store, conversation: ConversationId, from_seq: u64, limit: usize) -> Result<Vec<Link>, LogError> {
    rows(store, conversation, from_seq, limit, |_, row| {
        Ok(Link { header: row.header.encode().to_vec(), sealed_hash: chain::sealed_hash(row.sealed) })
    })
}

/// Each row from `from_seq`, checked to follow the one before it.
fn rows<T>(
    store: &Store,
    conversation: ConversationId,
    from_seq: u64,
    limit: usize,
    take: impl Fn(u64, &EntryRow<'_>) -> Result<T, LogError>,
) -> Result<Vec<T>, LogError> {
    let Some(mut previous) = store.entry_hash(conversation, from_seq - 1)? else { return Ok(Vec::new()) };
    let mut taken = Vec::new();
    let range = row::entry_key(conversation, from_seq)..=row::entry_key(conversation, u64::MAX);
    for (seq, guard) in (from_seq..).zip(store.entries.range(range).take(limit)) {
        let (found_key, value) = guard.into_inner().map_err(LogError::engine("reading entries"))?;
        if found_key[..] != row::entry_key(conversation, seq) {
            return Err(LogError::damaged(conversation, seq, "missing entry"));
        }
        let row = EntryRow::decode(&value).map_err(|error| LogError::damaged(conversation, seq, error.to_string()))?;
        if !row.follows(&previous, conversation, seq) {
            return Err(LogError::damaged(conversation, seq, "the entry does not follow the one before it"));
        }
        previous = row.hash;
        taken.push(take(seq, &row)?);
    }
    Ok(taken)
}

fn open(key: Option<&DataKey>, conversation: ConversationId, seq: u64, row: &EntryRow<'_>) -> Result<wire::Entry, LogError> {
    let header = &row.header;
    let mut entry = wire::Entry {
        conversation: conversation.to_string(),
        seq,
        id: header.id.to_string(),
        sender: header.sender.map(|user| user.to_string()).unwrap_or_default(),
        at_ms: header.at.0,
        hash: row.hash.0.to_vec().into(),
        body: None,
        withheld: wire::Withheld::Erased as i32,
        urgent: header.urgent,
        sender_role: header.sender_role as i32,
    };
    if let Some(key) = key {
        let plain =
            key.open(&row.place(conversation), row.sealed).map_err(|error| LogError::damaged(conversation, seq, error.to_string()))?;
        entry.body =
            Some(wire::Body::decode(plain.as_slice()).map_err(|_| LogError::damaged(conversation, seq, "the body is not protobuf"))?);
        entry.withheld = wire::Withheld::Unspecified as i32;
    }
    Ok(entry)
}

pub fn hash_at(store: &Store, conversation: ConversationId, seq: u64) -> Result<Option<EntryHash>, LogError> {
    if seq == 0 && store.head(conversation)?.is_none() {
        return Ok(None);
    }
    store.entry_hash(conversation, seq)
}

pub fn conversations_of(store: &Store, tails: &Tails, user: UserId, limit: usize) -> Result<Vec<Head>, LogError> {
    let mut heads = Vec::new();
    for guard in store.members.prefix(user.as_bytes()).rev().take(CONVERSATIONS_SCANNED_MAX) {
        let key = guard.key().map_err(LogError::engine("reading memberships"))?;
        let conversation = row::decode_second::<ConversationId>(&key).map_err(|error| LogError::Damaged {
            conversation: None,
            seq: None,
            what: format!("membership row: {error}"),
        })?;
        match tails.head(conversation) {
            Some(head) => heads.push(head),
            None => heads.push(Arc::new(store.head(conversation)?.ok_or_else(|| missing_head(conversation))?)),
        }
    }
    heads.sort_by_key(|head| std::cmp::Reverse(head.last_at));
    heads.truncate(limit);
    Ok(heads.iter().map(|head| Head::clone(head)).collect())
}

pub fn live_calls(store: &Store) -> Result<Vec<(ConversationId, LiveCall)>, LogError> {
    let mut calls = Vec::new();
    for guard in store.calls.iter() {
        let key = guard.key().map_err(LogError::engine("reading live calls"))?;
        let conversation = row::decode_id::<ConversationId>(&key).map_err(|error| LogError::Damaged {
            conversation: None,
            seq: None,
            what: format!("live call row: {error}"),
        })?;
        let head = store.head(conversation)?.ok_or_else(|| missing_head(conversation))?;
        // The call may have ended between the two reads.
        calls.extend(head.call.map(|call| (conversation, call)));
    }
    Ok(calls)
}

pub fn changes(store: &Store, after: FeedCursor, limit: usize) -> Result<Changes, LogError> {
    let mut changes = Changes { rows: Vec::new(), cursor: after };
    for (expected, guard) in (after + 1..).zip(store.feed.range(after.saturating_add(1).to_be_bytes()..).take(limit)) {
        let (key, value) = guard.into_inner().map_err(LogError::engine("reading the feed"))?;
        let damaged = |what: String| LogError::Damaged { conversation: None, seq: None, what };
        let cursor = row::decode_cursor(&key).map_err(|error| damaged(format!("feed key: {error}")))?;
        if cursor != expected {
            return Err(damaged(format!("feed row {expected} is missing")));
        }
        let row = FeedRow::decode(&value).map_err(|error| damaged(format!("feed row {cursor}: {error}")))?;
        // Seq 0 is a conversation that began without entries: nothing to tell a consumer of entries.
        if row.seq > 0 {
            changes.rows.push(Change { conversation: row.conversation, seq: row.seq, cursor });
        }
        changes.cursor = cursor;
    }
    Ok(changes)
}

fn missing_head(conversation: ConversationId) -> LogError {
    LogError::Damaged { conversation: Some(conversation), seq: None, what: "an index names a conversation without a head".into() }
}
