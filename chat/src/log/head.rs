//! The head record of a conversation: members, state, live call, newest seq and hash. A pure value.
//!
//! It is written in the same atomic commit as the entries it follows from, so a guard evaluated on it is never stale.

use crate::ids::{CallId, ConversationId, TenantId, Timestamp, UserId};
use crate::wire::{CallMedia, SenderRole};
use serde::{Deserialize, Serialize};

/// SHA-256 over (previous hash, header, hash of the sealed body).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EntryHash(pub [u8; 32]);

impl EntryHash {
    /// What a cursor carries: enough to tell another history.
    pub fn prefix(&self) -> [u8; 8] {
        let mut prefix = [0; 8];
        prefix.copy_from_slice(&self.0[..8]);
        prefix
    }
}

impl std::fmt::Debug for EntryHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0[..8].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub conversation: ConversationId,
    pub tenant: TenantId,
    /// Whose person key wraps the conversation's data key: the patient.
    pub subject: UserId,
    /// 0 = no entry yet.
    pub seq: u64,
    /// Of entry `seq`; of the conversation's id when `seq` is 0.
    pub hash: EntryHash,
    pub last_at: Timestamp,
    pub members: Vec<Member>,
    pub state: ConversationState,
    pub call: Option<LiveCall>,
    pub retention: RetentionClass,
}

/// Somebody who may read, and while he has not left and the state allows it, speak.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub user: UserId,
    pub role: SenderRole,
    /// First seq he may see; 1 = everything.
    pub visible_from: u64,
    /// Last seq he may see.
    pub left_at: Option<u64>,
}

/// Mirrors `ConsultationChange.State`: who may speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConversationState {
    /// Only the patient adds to the intake.
    Waiting,
    Open,
    Closed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveCall {
    pub call: CallId,
    pub inviter: UserId,
    pub callee: UserId,
    pub media: CallMedia,
    pub phase: LiveCallPhase,
    /// While ringing: when it becomes `no_answer`. After accept: none, the members' nodes sweep it.
    pub deadline: Timestamp,
    pub invited_seq: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LiveCallPhase {
    Ringing,
    Accepted,
}

/// Names how long entries must stay readable (REG-45, REG-46).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RetentionClass {
    /// Process record of treatment or advice: at least 3 years, 15 with the record.
    Consultation,
    /// Customer service and the like.
    Service,
}
