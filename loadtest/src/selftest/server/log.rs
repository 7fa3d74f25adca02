//! One conversation of the selftest server: a dense, hash-chained list in memory, its members, and what it hides when it lies.

use chat::wire::{Body, Entry, Head, HistoryChanged, Membership, Page, SenderRole, membership};
use prost::Message as _;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// As the protocol document has it.
const PAGE_ENTRIES: u32 = 50;
const PAGE_ENTRIES_MAX: u32 = 200;
const PAGE_BYTES: usize = 48 * 1024;
const FIRST_HASH: &[u8] = b"wenzhen conversation v1";

#[derive(Debug)]
pub struct Conversation {
    pub id: String,
    pub members: Vec<Member>,
    pub marks: BTreeMap<usize, Marks>,
    /// The live call.
    pub call: Option<String>,
    entries: Vec<Entry>,
    /// Message id -> place and body, so that a repetition is known.
    said: HashMap<String, (u64, Body)>,
    /// Lies: places that are gone for all, and for one person.
    lost: BTreeSet<u64>,
    hidden: HashSet<(usize, u64)>,
}

#[derive(Clone, Copy, Debug)]
pub struct Member {
    pub person: usize,
    pub role: SenderRole,
    pub left_at: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Marks {
    pub delivered: u64,
    pub read: u64,
}

#[derive(Clone, Debug, Default)]
pub struct Draft {
    pub id: String,
    /// User id; empty when the server speaks.
    pub sender: String,
    pub role: SenderRole,
    pub body: Body,
}

/// What a message id that was used before answers.
#[derive(Debug)]
pub enum Repeated {
    Same(Entry),
    Conflict,
}

impl Conversation {
    pub fn new(id: String, members: Vec<Member>) -> Self {
        Self {
            id,
            members,
            marks: BTreeMap::new(),
            call: None,
            entries: Vec::new(),
            said: HashMap::new(),
            lost: BTreeSet::new(),
            hidden: HashSet::new(),
        }
    }

    pub fn head_seq(&self) -> u64 {
        self.entries.len() as u64
    }

    pub fn member(&self, person: usize) -> Option<&Member> {
        self.members.iter().find(|member| member.person == person)
    }

    /// May still speak and hear what is new.
    pub fn is_member(&self, person: usize) -> bool {
        self.member(person).is_some_and(|member| member.left_at.is_none())
    }

    pub fn repeated(&self, id: &str, body: &Body) -> Option<Repeated> {
        let (seq, said) = self.said.get(id)?;
        Some(if said == body { Repeated::Same(self.entries[*seq as usize - 1].clone()) } else { Repeated::Conflict })
    }

    /// The moment of the next entry: never before the last one's.
    pub fn next_at_ms(&self, now_ms: i64) -> i64 {
        self.entries.last().map_or(now_ms, |last| last.at_ms.max(now_ms))
    }

    pub fn append(&mut self, draft: Draft, at_ms: i64) -> Entry {
        let seq = self.head_seq() + 1;
        let before = self.entries.last().map_or_else(|| Sha256::digest(FIRST_HASH).to_vec(), |last| last.hash.to_vec());
        let hash = Sha256::new()
            .chain_update(&before)
            .chain_update(&self.id)
            .chain_update(seq.to_be_bytes())
            .chain_update(at_ms.to_be_bytes())
            .chain_update(&draft.sender)
            .chain_update(&draft.id)
            .chain_update(draft.body.encode_to_vec())
            .finalize();
        let entry = Entry {
            conversation: self.id.clone(),
            seq,
            id: draft.id.clone(),
            sender: draft.sender,
            at_ms,
            hash: hash.to_vec().into(),
            body: Some(draft.body.clone()),
            sender_role: draft.role.into(),
            ..Entry::default()
        };
        self.said.insert(draft.id, (seq, draft.body));
        self.entries.push(entry.clone());
        entry
    }

    /// The entry that says so, for `person`'s user id.
    pub fn leave(&mut self, person: usize, user: &str, id: String, at_ms: i64) -> Entry {
        let role = self.member(person).map_or(SenderRole::Unspecified, |member| member.role);
        let change = Membership { user: user.to_owned(), role: role.into(), change: membership::Change::Left.into(), visible_from: 0 };
        let body = Body { kind: Some(chat::wire::body::Kind::Membership(change)) };
        let entry = self.append(Draft { id, body, ..Draft::default() }, at_ms);
        if let Some(member) = self.members.iter_mut().find(|member| member.person == person) {
            member.left_at = Some(entry.seq);
        }
        entry
    }

    /// What `person` can know of as the newest place.
    pub fn head_for(&self, person: usize) -> u64 {
        self.member(person).and_then(|member| member.left_at).unwrap_or(u64::MAX).min(self.head_seq())
    }

    pub fn head(&self, person: usize) -> Head {
        let seq = self.head_for(person);
        let last = seq.checked_sub(1).and_then(|index| self.entries.get(index as usize));
        let marks = self.marks.get(&person).copied().unwrap_or_default();
        Head {
            conversation: self.id.clone(),
            seq,
            hash_prefix: last.map(|last| last.hash.slice(..8)).unwrap_or_default(),
            last_at_ms: last.map_or(0, |last| last.at_ms),
            read_seq: marks.read,
            delivered_seq: marks.delivered,
        }
    }

    /// Whether somebody who holds this prefix at this place has our history.
    pub fn is_ours(&self, seq: u64, hash_prefix: &[u8]) -> bool {
        let held = seq.checked_sub(1).and_then(|index| self.entries.get(index as usize));
        hash_prefix.is_empty() || held.is_some_and(|held| held.hash.starts_with(hash_prefix))
    }

    pub fn history_changed(&self, person: usize) -> HistoryChanged {
        HistoryChanged { conversation: self.id.clone(), head: Some(self.head(person)) }
    }

    /// `from_seq` 0: the newest.
    pub fn page(&self, person: usize, from_seq: u64, limit: u32) -> Page {
        let head_seq = self.head_for(person);
        let limit = if limit == 0 { PAGE_ENTRIES } else { limit.min(PAGE_ENTRIES_MAX) };
        let visible = |seq: &u64| !self.lost.contains(seq) && !self.hidden.contains(&(person, *seq));
        let mut bytes = 0;
        let mut fits = |entry: &&Entry| {
            bytes += entry.encoded_len();
            bytes <= PAGE_BYTES
        };
        let entry = |seq: u64| &self.entries[seq as usize - 1];
        if from_seq == 0 {
            let newest = (1..=head_seq).rev().filter(visible).map(entry).take(limit as usize).take_while(&mut fits);
            let mut entries: Vec<Entry> = newest.cloned().collect();
            entries.reverse();
            let from_seq = entries.first().map_or(1, |first| first.seq);
            return Page { conversation: self.id.clone(), entries, head_seq, from_seq };
        }
        let next = (from_seq..=head_seq).filter(visible).map(entry).take(limit as usize).take_while(&mut fits);
        let entries = next.cloned().collect();
        Page { conversation: self.id.clone(), entries, head_seq, from_seq }
    }

    /// Lies.
    pub fn forget(&mut self, seq: u64) {
        self.lost.insert(seq);
    }

    pub fn hide(&mut self, person: usize, seq: u64) {
        self.hidden.insert((person, seq));
    }

    pub fn take_back(&mut self) {
        if let Some(last) = self.entries.pop() {
            self.said.remove(&last.id);
        }
    }

    pub fn fork(&mut self, seq: u64) {
        if let Some(entry) = self.entries.get_mut(seq as usize - 1) {
            entry.hash = Sha256::digest(&entry.hash).to_vec().into();
        }
    }
}
