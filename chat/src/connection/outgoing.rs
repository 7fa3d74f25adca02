//! One frame on its way out, encoded once and shared by all sockets that get it, with what may happen to it under pressure.

use crate::ids::{ConversationId, Timestamp, UserId};
use crate::wire::{
    self,
    codec::{Frame, Subprotocol, encode_event},
};
use axum::extract::ws::Message;
use std::cell::OnceCell;

/// Where an entry stands: what a lagging client is told instead of the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntryMark {
    pub conversation: ConversationId,
    pub seq: u64,
    pub hash_prefix: [u8; 8],
    pub at: Timestamp,
}

impl EntryMark {
    pub fn of(conversation: ConversationId, entry: &wire::Entry) -> Self {
        let mut hash_prefix = [0; 8];
        hash_prefix.copy_from_slice(entry.hash.get(..8).unwrap_or(&[0; 8]));
        Self { conversation, seq: entry.seq, hash_prefix, at: Timestamp(entry.at_ms) }
    }

    /// The person's own marks are not known here: 0, which a client that takes the larger value ignores.
    pub fn to_head(self) -> wire::Head {
        wire::Head {
            conversation: self.conversation.to_string(),
            seq: self.seq,
            hash_prefix: self.hash_prefix.to_vec().into(),
            last_at_ms: self.at.0,
            read_seq: 0,
            delivered_seq: 0,
        }
    }
}

/// Two ephemerals with the same key: the later one replaces the earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EphemeralKey {
    Typing(ConversationId, UserId),
    Presence(UserId),
    Marks(ConversationId, UserId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Answers a command of this socket; never dropped.
    Reply,
    /// From the server's other parts; dropped only when the socket is far beyond its budget.
    Normal,
    /// In the log, so it may be dropped and pulled later.
    Entry { mark: EntryMark, urgent: bool },
    /// Dropped first.
    Ephemeral(Option<EphemeralKey>),
}

#[derive(Clone, PartialEq)]
pub(crate) struct Outgoing {
    pub message: Message,
    pub class: Class,
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Outgoing(***, {:?})", self.class)
    }
}

pub(crate) fn encode(subprotocol: Subprotocol, event: &wire::Event) -> Message {
    match encode_event(subprotocol, event) {
        Frame::Binary(bytes) => Message::Binary(bytes),
        Frame::Text(text) => Message::text(text),
    }
}

/// Encodes an event at most once per subprotocol, whatever the number of sockets.
pub(crate) struct Encoder<'a> {
    event: &'a wire::Event,
    proto: OnceCell<Message>,
    json: OnceCell<Message>,
}

impl<'a> Encoder<'a> {
    pub fn new(event: &'a wire::Event) -> Self {
        Self { event, proto: OnceCell::new(), json: OnceCell::new() }
    }

    pub fn message(&self, subprotocol: Subprotocol) -> Message {
        let cell = match subprotocol {
            Subprotocol::Proto => &self.proto,
            Subprotocol::Json => &self.json,
        };
        cell.get_or_init(|| encode(subprotocol, self.event)).clone()
    }
}
