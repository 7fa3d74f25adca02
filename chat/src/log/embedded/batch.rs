//! One commit in the making: jobs are judged in order on heads that already carry the jobs before them, and become rows.
//!
//! Nothing here is visible to anybody until the commit. A job leaves either all of its rows or none.

use super::options::Limits;
use super::prepare::Prepared;
use super::store::Store;
use super::tails::Tails;
use crate::ids::{CallId, ConversationId, Timestamp, UserId};
use crate::log::apply::MalformedBody;
use crate::log::chain;
use crate::log::error::LogError;
use crate::log::guard::{Guard, Refusal, member_role};
use crate::log::head::{EntryHash, Head};
use crate::log::row::{self, EntryHeader, EntryRow, FeedRow, IdRow, Origin};
use crate::log::types::{Appended, FeedCursor, Marks, Outcome};
use crate::seal::{Fingerprint, WrappedKey};
use crate::wire;
use fjall::OwnedWriteBatch as WriteBatch;
use std::collections::HashMap;
use std::sync::Arc;

/// A message can be taken back for two minutes; after that somebody may have acted on it.
const RECALL_WINDOW_MS: i64 = 120_000;

type MessageKey = [u8; 48];

pub struct Batch<'a> {
    store: &'a Store,
    tails: &'a Tails,
    limits: &'a Limits,
    now: Timestamp,
    feed: (FeedCursor, EntryHash),
    working: HashMap<ConversationId, Working>,
    /// Messages of this batch, which the store does not know yet.
    ids: HashMap<MessageKey, (Fingerprint, Appended)>,
    rows: WriteBatch,
    bytes: usize,
}

/// A conversation this batch touches.
pub struct Working {
    pub head: Head,
    pub entries: Vec<Arc<wire::Entry>>,
    pub body_bytes: usize,
    changed: bool,
    call_before: Option<CallId>,
}

/// What stands after the commit.
pub struct Finished {
    pub rows: WriteBatch,
    pub feed: (FeedCursor, EntryHash),
    pub touched: Vec<Working>,
}

impl<'a> Batch<'a> {
    pub fn new(store: &'a Store, tails: &'a Tails, limits: &'a Limits, now: Timestamp, feed: (FeedCursor, EntryHash)) -> Self {
        let rows = store.db.batch();
        Self { store, tails, limits, now, feed, working: HashMap::new(), ids: HashMap::new(), rows, bytes: 0 }
    }

    /// The head, and whether this job made it.
    pub fn create(&mut self, head: Head, wrapped: WrappedKey, first: Vec<Prepared>) -> Result<(Head, bool), LogError> {
        let conversation = head.conversation;
        if let Some(working) = self.load(conversation)? {
            return Ok((working.head.clone(), false));
        }
        let working = Working { head: head.clone(), entries: Vec::new(), body_bytes: 0, changed: true, call_before: None };
        let staged = self.stage(&working, first)?;
        self.rows.insert(&self.store.origins, *conversation.as_bytes(), Origin { head, key: wrapped }.encode());
        for member in &working.head.members {
            self.insert_membership(member.user, conversation);
        }
        if staged.new.is_empty() {
            self.insert_feed(conversation, 0, &working.head.hash);
        }
        self.working.insert(conversation, working);
        let outcome = self.write(conversation, staged);
        Ok((outcome.head, true))
    }

    pub fn append(&mut self, conversation: ConversationId, drafts: Vec<Prepared>, guards: &[Guard]) -> Result<Outcome, LogError> {
        self.load(conversation)?.ok_or(LogError::UnknownConversation)?;
        let known = drafts.iter().map(|draft| self.known(conversation, draft)).collect::<Result<Vec<_>, _>>()?;
        let working = &self.working[&conversation];
        if known.iter().any(Option::is_none) {
            for guard in guards {
                let senders = drafts.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(draft, _)| draft.sender);
                guard.check(&working.head, senders).map_err(LogError::Refused)?;
            }
        }
        let staged = self.stage_known(working, drafts.into_iter().zip(known))?;
        Ok(self.write(conversation, staged))
    }

    pub fn marks(&mut self, marks: &[((ConversationId, UserId), Marks)]) {
        for ((conversation, user), marks) in marks {
            self.rows.insert(&self.store.marks, row::pair_key(conversation.as_bytes(), user.as_bytes()), row::encode_marks(marks));
        }
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn finish(mut self) -> Finished {
        let touched: Vec<Working> = self.working.into_values().filter(|working| working.changed).collect();
        for working in &touched {
            let conversation = *working.head.conversation.as_bytes();
            self.rows.insert(&self.store.heads, conversation, row::encode_head(&working.head));
            match (working.call_before, working.head.call.as_ref().map(|call| call.call)) {
                (None, Some(_)) => self.rows.insert(&self.store.calls, conversation, []),
                (Some(_), None) => self.rows.remove(&self.store.calls, conversation),
                _ => {}
            }
        }
        Finished { rows: self.rows, feed: self.feed, touched }
    }

    fn load(&mut self, conversation: ConversationId) -> Result<Option<&Working>, LogError> {
        if !self.working.contains_key(&conversation) {
            let head = match self.tails.head(conversation) {
                Some(head) => Head::clone(&head),
                None => match self.store.head_to_extend(conversation)? {
                    Some(head) => head,
                    None => return Ok(None),
                },
            };
            let call_before = head.call.as_ref().map(|call| call.call);
            let working = Working { head, entries: Vec::new(), body_bytes: 0, changed: false, call_before };
            self.working.insert(conversation, working);
        }
        Ok(self.working.get(&conversation))
    }

    /// Where this message stands already.
    fn known(&self, conversation: ConversationId, draft: &Prepared) -> Result<Option<Appended>, LogError> {
        let (fingerprint, appended) = match self.ids.get(&row::id_key(conversation, draft.sender, draft.id)) {
            Some((fingerprint, appended)) => (*fingerprint, *appended),
            None => match self.store.id(conversation, draft.sender, draft.id)? {
                Some(found) => (found.fingerprint, self.stored(conversation, draft, found.seq)?),
                None => return Ok(None),
            },
        };
        if fingerprint != draft.fingerprint {
            return Err(LogError::IdConflict);
        }
        Ok(Some(Appended { repeated: true, ..appended }))
    }

    fn stored(&self, conversation: ConversationId, draft: &Prepared, seq: u64) -> Result<Appended, LogError> {
        let damaged = |what: &str| LogError::damaged(conversation, seq, what);
        let bytes = self.store.entry(conversation, seq)?.ok_or_else(|| damaged("a message id names an entry that is not there"))?;
        let row = EntryRow::decode(&bytes).map_err(|error| damaged(&error.to_string()))?;
        if (row.header.sender, row.header.id) != (draft.sender, draft.id) {
            return Err(damaged("a message id names another message's entry"));
        }
        Ok(Appended { id: draft.id, seq, at: row.header.at, hash: row.hash, repeated: true })
    }

    fn stage(&self, working: &Working, drafts: Vec<Prepared>) -> Result<Staged, LogError> {
        self.stage_known(working, drafts.into_iter().map(|draft| (draft, None)))
    }

    /// Gives every new draft its place, on a copy of the head: a refusal half-way leaves nothing behind.
    fn stage_known(&self, working: &Working, drafts: impl Iterator<Item = (Prepared, Option<Appended>)>) -> Result<Staged, LogError> {
        let mut staged = Staged { head: working.head.clone(), new: Vec::new(), appended: Vec::new() };
        for (draft, known) in drafts {
            let same = staged.new.iter().find(|new| (new.draft.sender, new.draft.id) == (draft.sender, draft.id));
            let repeat = match (known, same) {
                (Some(known), _) => Some(known),
                (None, Some(same)) if same.draft.fingerprint != draft.fingerprint => return Err(LogError::IdConflict),
                (None, Some(same)) => Some(Appended { repeated: true, ..same.appended }),
                (None, None) => None,
            };
            match repeat {
                Some(appended) => staged.appended.push(appended),
                None => {
                    let new = self.place(&mut staged.head, working, &staged.new, draft)?;
                    staged.appended.push(new.appended);
                    staged.new.push(new);
                }
            }
        }
        Ok(staged)
    }

    fn place(&self, head: &mut Head, working: &Working, before: &[New], draft: Prepared) -> Result<New, LogError> {
        if head.seq >= self.limits.entries_per_conversation_max {
            return Err(LogError::Refused(Refusal::Full));
        }
        if let (Some(target), Some(sender)) = (draft.recalls(), draft.sender) {
            self.may_recall(head, working, before, sender, target)?;
        }
        let seq = head.seq + 1;
        let header = EntryHeader {
            sender: draft.sender,
            sender_role: draft.sender.and_then(|user| member_role(head, user)).unwrap_or(wire::SenderRole::Unspecified),
            id: draft.id,
            at: self.now.max(head.last_at),
            urgent: draft.entry.urgent,
            recall: draft.recalls().is_some(),
        };
        let hash = chain::next(&head.hash, head.conversation, seq, &header, &draft.sealed_hash);
        head.apply(draft.sender, draft.body(), seq).map_err(|MalformedBody(what)| LogError::Malformed(what))?;
        if head.members.len() > self.limits.members_max {
            return Err(LogError::Refused(Refusal::TooManyMembers));
        }
        (head.seq, head.hash, head.last_at) = (seq, hash, header.at);
        let appended = Appended { id: draft.id, seq, at: header.at, hash, repeated: false };
        Ok(New { draft, header, appended })
    }

    /// Only one's own message, within the window; a recall itself stays.
    fn may_recall(&self, head: &Head, working: &Working, before: &[New], sender: UserId, target: u64) -> Result<(), LogError> {
        let refused = |refusal| Err(LogError::Refused(refusal));
        if target == 0 || target > head.seq {
            return refused(Refusal::NotRecallable);
        }
        let header = match before.iter().find(|new| new.appended.seq == target) {
            Some(new) => new.header,
            None => match working.header(target)? {
                Some(header) => header,
                None => self.stored_header(head.conversation, target)?,
            },
        };
        if header.sender != Some(sender) || header.recall {
            return refused(Refusal::NotRecallable);
        }
        if self.now.since_ms(header.at) > RECALL_WINDOW_MS { refused(Refusal::TooOld) } else { Ok(()) }
    }

    fn stored_header(&self, conversation: ConversationId, seq: u64) -> Result<EntryHeader, LogError> {
        let bytes = self.store.entry(conversation, seq)?.ok_or_else(|| LogError::damaged(conversation, seq, "missing entry"))?;
        let row = EntryRow::decode(&bytes).map_err(|error| LogError::damaged(conversation, seq, error.to_string()))?;
        Ok(row.header)
    }

    fn write(&mut self, conversation: ConversationId, staged: Staged) -> Outcome {
        let Staged { head, new, appended } = staged;
        for New { draft, header, appended } in new {
            let Prepared { sender, id, entry, sealed, fingerprint, .. } = draft;
            let key = row::id_key(conversation, sender, id);
            let entry_row = EntryRow::encode(&header, &appended.hash, &sealed);
            self.bytes += entry_row.len();
            self.rows.insert(&self.store.entries, row::entry_key(conversation, appended.seq), entry_row);
            self.rows.insert(&self.store.ids, key, IdRow { seq: appended.seq, fingerprint }.encode());
            self.insert_feed(conversation, appended.seq, &appended.hash);
            self.ids.insert(key, (fingerprint, appended));
            let working = self.working.get_mut(&conversation).expect("loaded before anything is written to it");
            working.body_bytes += sealed.len();
            working.entries.push(Arc::new(wire::Entry {
                seq: appended.seq,
                at_ms: appended.at.0,
                hash: appended.hash.0.to_vec().into(),
                sender_role: header.sender_role as i32,
                ..entry
            }));
            working.changed = true;
        }
        let working = self.working.get_mut(&conversation).expect("loaded before anything is written to it");
        let joined: Vec<UserId> = head.members.iter().skip(working.head.members.len()).map(|member| member.user).collect();
        working.head = head.clone();
        for user in joined {
            self.insert_membership(user, conversation);
        }
        Outcome { entries: appended, head, durability: wire::Durability::Fsync }
    }

    fn insert_membership(&mut self, user: UserId, conversation: ConversationId) {
        self.rows.insert(&self.store.members, row::pair_key(user.as_bytes(), conversation.as_bytes()), []);
    }

    fn insert_feed(&mut self, conversation: ConversationId, seq: u64, entry: &EntryHash) {
        let cursor = self.feed.0 + 1;
        let chain = chain::feed_next(&self.feed.1, cursor, conversation, seq, entry);
        self.rows.insert(&self.store.feed, cursor.to_be_bytes(), FeedRow { conversation, seq, chain }.encode());
        self.feed = (cursor, chain);
    }
}

/// A job's new entries with their places, and the head after them.
struct Staged {
    head: Head,
    new: Vec<New>,
    appended: Vec<Appended>,
}

struct New {
    draft: Prepared,
    header: EntryHeader,
    appended: Appended,
}

impl Working {
    /// Header of an entry that this batch wrote.
    fn header(&self, seq: u64) -> Result<Option<EntryHeader>, LogError> {
        let Some(entry) = self.entries.iter().find(|entry| entry.seq == seq) else { return Ok(None) };
        Ok(Some(EntryHeader {
            sender: entry.sender.parse().ok(),
            sender_role: entry.sender_role(),
            id: entry.id.parse().map_err(|_| LogError::Malformed("id"))?,
            at: Timestamp(entry.at_ms),
            urgent: entry.urgent,
            recall: matches!(entry.body.as_ref().and_then(|body| body.kind.as_ref()), Some(wire::body::Kind::Recall(_))),
        }))
    }
}
