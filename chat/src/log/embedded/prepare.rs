//! What can be done to a draft before the writer gives it a place: checked, encoded, sealed, hashed, fingerprinted, on the sender's task.

use super::options::Limits;
use crate::entropy::Entropy;
use crate::ids::{ConversationId, MessageId, UserId};
use crate::log::chain;
use crate::log::error::LogError;
use crate::log::types::Draft;
use crate::seal::{DataKey, Fingerprint, Place};
use crate::wire::{self, body::Kind};
use prost::Message;

pub struct Prepared {
    pub sender: Option<UserId>,
    pub id: MessageId,
    /// Complete but for seq, time, hash and role.
    pub entry: wire::Entry,
    pub sealed: Vec<u8>,
    pub sealed_hash: [u8; 32],
    pub fingerprint: Fingerprint,
}

impl Prepared {
    pub fn body(&self) -> &wire::Body {
        self.entry.body.as_ref().expect("prepare puts the body in")
    }

    /// Seq that this entry recalls.
    pub fn recalls(&self) -> Option<u64> {
        match &self.body().kind {
            Some(Kind::Recall(recall)) => Some(recall.seq),
            _ => None,
        }
    }
}

pub fn prepare_all(
    limits: &Limits,
    entropy: &Entropy,
    key: &DataKey,
    conversation: ConversationId,
    drafts: Vec<Draft>,
) -> Result<Vec<Prepared>, LogError> {
    if drafts.len() > limits.drafts_per_append_max {
        return Err(LogError::TooMany { max: limits.drafts_per_append_max });
    }
    drafts.into_iter().map(|draft| prepare(limits, entropy, key, conversation, draft)).collect()
}

fn prepare(limits: &Limits, entropy: &Entropy, key: &DataKey, conversation: ConversationId, draft: Draft) -> Result<Prepared, LogError> {
    let Draft { sender, id, body, urgent } = draft;
    if body.encoded_len() > limits.body_bytes_max {
        return Err(LogError::TooLarge { max: limits.body_bytes_max });
    }
    let plain = body.encode_to_vec();
    let mut sealed = Vec::new();
    key.seal_into(entropy, &Place { conversation, sender, id }, &plain, &mut sealed);
    let entry = wire::Entry {
        conversation: conversation.to_string(),
        id: id.to_string(),
        sender: sender.map(|user| user.to_string()).unwrap_or_default(),
        urgent,
        body: Some(body),
        ..wire::Entry::default()
    };
    Ok(Prepared { sender, id, entry, sealed_hash: chain::sealed_hash(&sealed), sealed, fingerprint: key.fingerprint(urgent, &plain) })
}
