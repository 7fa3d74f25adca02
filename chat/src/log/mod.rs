//! The conversation log: one dense, hash-chained sequence per conversation, and the head record that decides who may append.
//!
//! Acknowledged means on disk. `seq` is dense from 1. One entry per (conversation, sender, message id), without expiry.
//! An engine is a variant of [`MessageLog`], built in one place; the conformance functions in `conformance` run on each.

mod apply;
mod chain;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod embedded;
mod error;
mod guard;
pub mod head;
mod repair;
mod row;
#[cfg(test)]
mod tests;
mod types;
mod verify;

pub use embedded::{Embedded, Limits, Options, Stats};
pub use error::LogError;
pub use guard::{Guard, Refusal};
pub use repair::{Repaired, repair};
pub use types::{Appended, Change, Changes, Committed, Draft, FeedCursor, Link, MarkKind, Marks, NewConversation, Outcome};
pub use verify::{Finding, Report, verify};

use crate::ids::{ConversationId, UserId};
use crate::wire;
use head::{EntryHash, Head, LiveCall};
use std::sync::Arc;

/// The seam. Nothing outside this enum may assume the engine.
#[derive(Debug)]
pub enum MessageLog {
    Embedded(Embedded),
}

impl MessageLog {
    /// Makes the conversation and its first entries in one commit. The same id again returns the head as it stands now.
    /// The first entries pass no guard; `state` and `members` stand before them, so they may carry the joins themselves.
    pub async fn create(&self, new: NewConversation) -> Result<Head, LogError> {
        match self {
            Self::Embedded(log) => log.create(new).await,
        }
    }

    /// All drafts or none, in order, after the guards held on the head they are written against. Drafts that are already in the log
    /// answer with the place they have, without asking the guards again. Returns after the commit is durable.
    pub async fn append(&self, conversation: ConversationId, drafts: Vec<Draft>, guards: Vec<Guard>) -> Result<Outcome, LogError> {
        match self {
            Self::Embedded(log) => log.append(conversation, drafts, guards).await,
        }
    }

    /// What is committed at this moment; a guard, not this, decides a race.
    pub async fn head(&self, conversation: ConversationId) -> Result<Option<Head>, LogError> {
        match self {
            Self::Embedded(log) => log.head(conversation).await,
        }
    }

    /// Entries `from_seq ..`, at most `limit`, unfiltered: whoever shows them to a person applies his visibility. Recent ones come from memory.
    pub async fn read(&self, conversation: ConversationId, from_seq: u64, limit: usize) -> Result<Vec<Arc<wire::Entry>>, LogError> {
        match self {
            Self::Embedded(log) => log.read(conversation, from_seq, limit).await,
        }
    }

    /// Hash of entry `seq`; seq 0 gives the chain's beginning. `None` beyond the head.
    pub async fn hash_at(&self, conversation: ConversationId, seq: u64) -> Result<Option<EntryHash>, LogError> {
        match self {
            Self::Embedded(log) => log.hash_at(conversation, seq).await,
        }
    }

    /// Links of the chain `from_seq ..`, at most `limit`. Needs no key: an erased conversation still has them.
    pub async fn links(&self, conversation: ConversationId, from_seq: u64, limit: usize) -> Result<Vec<Link>, LogError> {
        match self {
            Self::Embedded(log) => log.links(conversation, from_seq, limit).await,
        }
    }

    /// Monotone and capped at the head. A crash may forget the last second of marks, never an entry.
    pub async fn mark(&self, conversation: ConversationId, user: UserId, kind: MarkKind, up_to: u64) -> Result<Marks, LogError> {
        match self {
            Self::Embedded(log) => log.mark(conversation, user, kind, up_to).await,
        }
    }

    pub async fn marks(&self, conversation: ConversationId) -> Result<Vec<(UserId, Marks)>, LogError> {
        match self {
            Self::Embedded(log) => log.marks(conversation).await,
        }
    }

    /// Conversations the user is or was a member of, newest activity first.
    pub async fn conversations_of(&self, user: UserId, limit: usize) -> Result<Vec<Head>, LogError> {
        match self {
            Self::Embedded(log) => log.conversations_of(user, limit).await,
        }
    }

    /// Every call without an `ended` entry, for the sweep at start and every 10 s.
    pub async fn live_calls(&self) -> Result<Vec<(ConversationId, LiveCall)>, LogError> {
        match self {
            Self::Embedded(log) => log.live_calls().await,
        }
    }

    /// Entries of all conversations in commit order, after a cursor the consumer has stored. Complete and without repeats.
    pub async fn changes(&self, after: FeedCursor, limit: usize) -> Result<Changes, LogError> {
        match self {
            Self::Embedded(log) => log.changes(after, limit).await,
        }
    }

    /// Wakes consumers of [`Self::changes`].
    pub fn watch_commits(&self) -> tokio::sync::watch::Receiver<FeedCursor> {
        match self {
            Self::Embedded(log) => log.watch_commits(),
        }
    }

    pub fn stats(&self) -> Stats {
        match self {
            Self::Embedded(log) => log.stats(),
        }
    }

    /// Commits what is queued, then stops. Later calls answer `stopped`.
    pub async fn close(&self) -> Result<(), LogError> {
        match self {
            Self::Embedded(log) => log.close().await,
        }
    }
}
