//! What goes into the log and comes out of it.

use super::head::{ConversationState, EntryHash, Head, Member, RetentionClass};
use crate::ids::{ConversationId, MessageId, TenantId, Timestamp, UserId};
use crate::wire;
use std::sync::Arc;

/// An entry that has no place yet.
#[derive(Clone, Debug)]
pub struct Draft {
    /// `None` = the server speaks.
    pub sender: Option<UserId>,
    /// Unique per (conversation, sender); for the server's own entries derived from the fact, so that a repeat finds it.
    pub id: MessageId,
    pub body: wire::Body,
    pub urgent: bool,
}

#[derive(Clone, Debug)]
pub struct NewConversation {
    pub id: ConversationId,
    pub tenant: TenantId,
    /// The patient: whose person key the bodies are sealed under.
    pub subject: UserId,
    pub members: Vec<Member>,
    pub state: ConversationState,
    pub retention: RetentionClass,
    pub first: Vec<Draft>,
}

/// Where a draft stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    pub id: MessageId,
    pub seq: u64,
    pub at: Timestamp,
    pub hash: EntryHash,
    /// It stood there before this call.
    pub repeated: bool,
}

/// What the chain says of an entry, as it was hashed: with it a transcript is verified without us and without keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub header: Vec<u8>,
    pub sealed_hash: [u8; 32],
}

#[derive(Clone, Debug)]
pub struct Outcome {
    /// One per draft, in the order given.
    pub entries: Vec<Appended>,
    /// As of this commit, or newer when everything was a repeat.
    pub head: Head,
    pub durability: wire::Durability,
}

/// What was committed, in plain text, for those who deliver it.
#[derive(Clone, Debug)]
pub struct Committed {
    pub head: Arc<Head>,
    pub entries: Vec<Arc<wire::Entry>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    Delivered,
    Read,
}

/// Newest seq that reached a user's devices, and that he read. Reading implies delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    pub delivered: u64,
    pub read: u64,
}

/// Position in the commit order of all conversations; 0 = the beginning.
pub type FeedCursor = u64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub conversation: ConversationId,
    pub seq: u64,
    pub cursor: FeedCursor,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    pub rows: Vec<Change>,
    /// Store this one; it may be beyond the last row.
    pub cursor: FeedCursor,
}
