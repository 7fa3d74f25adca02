//! The keyspaces and their rows. Decodes what it reads, and answers damage where a row is not what it should be.

use super::engine::keyspace;
use crate::ids::{ConversationId, MessageId, UserId};
use crate::log::chain;
use crate::log::error::LogError;
use crate::log::head::{EntryHash, Head};
use crate::log::row::{self, EntryRow, FeedRow, IdRow, MalformedRow, Origin};
use crate::log::types::FeedCursor;
use fjall::{Database, Keyspace, Slice};
use std::fs::File;

pub struct Store {
    pub db: Database,
    /// (conversation, seq) -> entry
    pub entries: Keyspace,
    /// (conversation, sender, message id) -> seq, fingerprint
    pub ids: Keyspace,
    /// conversation -> head
    pub heads: Keyspace,
    /// conversation -> head before the first entry, wrapped key
    pub origins: Keyspace,
    /// (user, conversation) -> nothing
    pub members: Keyspace,
    /// (conversation, user) -> marks
    pub marks: Keyspace,
    /// conversation with a live call -> nothing
    pub calls: Keyspace,
    /// cursor -> conversation, seq, chain
    pub feed: Keyspace,
    /// Last, so that it outlives the engine.
    pub lock: Option<File>,
}

pub const KEYSPACES: [&str; 8] = ["entries", "ids", "heads", "origins", "members", "marks", "calls", "feed"];

impl Store {
    pub fn new(db: Database) -> Result<Self, LogError> {
        let open = |name| keyspace(&db, name);
        let [entries, ids, heads, origins, members, marks, calls, feed] = KEYSPACES;
        Ok(Self {
            entries: open(entries)?,
            ids: open(ids)?,
            heads: open(heads)?,
            origins: open(origins)?,
            members: open(members)?,
            marks: open(marks)?,
            calls: open(calls)?,
            feed: open(feed)?,
            lock: None,
            db,
        })
    }

    /// In the order of [`KEYSPACES`].
    pub fn keyspaces(&self) -> [&Keyspace; 8] {
        [&self.entries, &self.ids, &self.heads, &self.origins, &self.members, &self.marks, &self.calls, &self.feed]
    }

    pub fn entry(&self, conversation: ConversationId, seq: u64) -> Result<Option<Slice>, LogError> {
        self.entries.get(row::entry_key(conversation, seq)).map_err(LogError::engine("reading an entry"))
    }

    pub fn id(&self, conversation: ConversationId, sender: Option<UserId>, id: MessageId) -> Result<Option<IdRow>, LogError> {
        let found = self.ids.get(row::id_key(conversation, sender, id)).map_err(LogError::engine("reading a message id"))?;
        found.map(|bytes| IdRow::decode(&bytes).map_err(malformed(conversation, "message id row"))).transpose()
    }

    pub fn head(&self, conversation: ConversationId) -> Result<Option<Head>, LogError> {
        let found = self.heads.get(conversation.as_bytes()).map_err(LogError::engine("reading a head"))?;
        found.map(|bytes| row::decode_head(conversation, &bytes).map_err(malformed(conversation, "head row"))).transpose()
    }

    /// The head, after making sure that it is the head of the entries that stand there: nothing is appended to a damaged chain.
    pub fn head_to_extend(&self, conversation: ConversationId) -> Result<Option<Head>, LogError> {
        let Some(head) = self.head(conversation)? else { return Ok(None) };
        if self.entry_hash(conversation, head.seq)? != Some(head.hash) {
            return Err(LogError::damaged(conversation, head.seq, "the head does not name the last entry's hash"));
        }
        if self.entry(conversation, head.seq + 1)?.is_some() {
            return Err(LogError::damaged(conversation, head.seq + 1, "an entry beyond the head"));
        }
        Ok(Some(head))
    }

    pub fn entry_hash(&self, conversation: ConversationId, seq: u64) -> Result<Option<EntryHash>, LogError> {
        if seq == 0 {
            return Ok(Some(chain::beginning(conversation)));
        }
        let Some(bytes) = self.entry(conversation, seq)? else { return Ok(None) };
        let row = EntryRow::decode(&bytes).map_err(|error| LogError::damaged(conversation, seq, error.to_string()))?;
        Ok(Some(row.hash))
    }

    pub fn origin(&self, conversation: ConversationId) -> Result<Option<Origin>, LogError> {
        let found = self.origins.get(conversation.as_bytes()).map_err(LogError::engine("reading an origin"))?;
        found.map(|bytes| Origin::decode(conversation, &bytes).map_err(malformed(conversation, "origin row"))).transpose()
    }

    pub fn feed_row(&self, cursor: FeedCursor) -> Result<Option<FeedRow>, LogError> {
        let found = self.feed.get(cursor.to_be_bytes()).map_err(LogError::engine("reading the feed"))?;
        found.map(|bytes| FeedRow::decode(&bytes).map_err(|error| damaged_feed(cursor, &error))).transpose()
    }

    /// Newest cursor and the feed's chain there.
    pub fn feed_end(&self) -> Result<(FeedCursor, EntryHash), LogError> {
        let Some(last) = self.feed.last_key_value() else { return Ok((0, chain::FEED_BEGINNING)) };
        let (key, value) = last.into_inner().map_err(LogError::engine("reading the feed's end"))?;
        let cursor = row::decode_cursor(&key).map_err(|error| damaged_feed(0, &error))?;
        let row = FeedRow::decode(&value).map_err(|error| damaged_feed(cursor, &error))?;
        Ok((cursor, row.chain))
    }
}

pub fn malformed(conversation: ConversationId, what: &'static str) -> impl FnOnce(MalformedRow) -> LogError {
    move |error| LogError::Damaged { conversation: Some(conversation), seq: None, what: format!("{what}: {error}") }
}

fn damaged_feed(cursor: FeedCursor, error: &MalformedRow) -> LogError {
    LogError::Damaged { conversation: None, seq: None, what: format!("feed row {cursor}: {error}") }
}
