//! One conversation: dense from 1, each entry following the one before, each message id pointing back, the head at the end.

use super::report::{Finding, Report};
use crate::ids::ConversationId;
use crate::log::apply::MalformedBody;
use crate::log::embedded::store::Store;
use crate::log::error::LogError;
use crate::log::head::Head;
use crate::log::row::{self, EntryRow};
use crate::log::{chain, row::IdRow};
use crate::seal::DataKey;
use crate::wire;
use prost::Message;

/// Stops at the first broken entry: what follows it cannot be judged.
pub fn check(store: &Store, key: Option<&DataKey>, conversation: ConversationId, report: &mut Report) {
    if let Err(finding) = walk(store, key, conversation, &mut report.entries) {
        report.found(finding);
    }
}

fn walk(store: &Store, key: Option<&DataKey>, conversation: ConversationId, entries: &mut u64) -> Result<(), Finding> {
    let broken = |what: &str| Finding::Conversation { conversation, what: what.into() };
    let origin = store.origin(conversation).map_err(|error| Finding::of(&error))?.ok_or_else(|| broken("its origin is missing"))?;
    let head = store.head(conversation).map_err(|error| Finding::of(&error))?.ok_or_else(|| broken("its head is missing"))?;
    let mut folded = origin.head;
    if folded.seq != 0 || folded.hash != chain::beginning(conversation) {
        return Err(broken("its origin is not a beginning"));
    }
    for guard in store.entries.prefix(conversation.as_bytes()) {
        let seq = folded.seq + 1;
        let damaged = |what: String| Finding::Entry { conversation, seq, what };
        let (found_key, value) = guard.into_inner().map_err(|error| damaged(format!("the engine cannot read it: {error}")))?;
        if found_key[..] != row::entry_key(conversation, seq) {
            return Err(damaged("missing".into()));
        }
        let row = EntryRow::decode(&value).map_err(|error| damaged(error.to_string()))?;
        entry(store, key, &mut folded, seq, &row).map_err(damaged)?;
        *entries += 1;
    }
    if folded.seq != head.seq {
        let seq = folded.seq.min(head.seq) + 1;
        return Err(Finding::Entry {
            conversation,
            seq,
            what: format!("the head stands at {}, the entries end at {}", head.seq, folded.seq),
        });
    }
    let same = if key.is_some() { folded == head } else { folded.hash == head.hash && folded.last_at == head.last_at };
    if same { Ok(()) } else { Err(broken("its head is not what the entries make of it")) }
}

fn entry(store: &Store, key: Option<&DataKey>, folded: &mut Head, seq: u64, row: &EntryRow<'_>) -> Result<(), String> {
    let conversation = folded.conversation;
    let header = &row.header;
    if !row.follows(&folded.hash, conversation, seq) {
        return Err("it does not follow the entry before it".into());
    }
    if header.at < folded.last_at {
        return Err("it is older than the entry before it".into());
    }
    let id = store.id(conversation, header.sender, header.id).map_err(|error| error.to_string())?;
    let id = id.filter(|id| id.seq == seq).ok_or("its message id does not point to it")?;
    if let Some(key) = key {
        let body = opened(key, conversation, row, &id)?;
        folded.apply(header.sender, &body, seq).map_err(|MalformedBody(what)| what.to_string())?;
    }
    (folded.seq, folded.hash, folded.last_at) = (seq, row.hash, header.at);
    Ok(())
}

fn opened(key: &DataKey, conversation: ConversationId, row: &EntryRow<'_>, id: &IdRow) -> Result<wire::Body, String> {
    let plain = key.open(&row.place(conversation), row.sealed).map_err(|error| error.to_string())?;
    if key.fingerprint(row.header.urgent, &plain) != id.fingerprint {
        return Err("its body is not the one its message id was given for".into());
    }
    wire::Body::decode(plain.as_slice()).map_err(|_| "its body is not protobuf".into())
}

impl From<LogError> for Finding {
    fn from(error: LogError) -> Self {
        Self::of(&error)
    }
}
