//! The correctness ledger: what was sent, acknowledged, delivered and finally read, compared message by message.
//!
//! A send without an acknowledgement is a third outcome; the final read decides it, never a guess.

use crate::measure::Latency;
use chat::wire::{Entry, Page, Sent, body};
use serde::Serialize;
use std::collections::{HashMap, HashSet};

#[derive(Debug)]
struct Message {
    conversation: u32,
    intended_micros: u64,
    /// First 8 bytes of SHA-256 of the text.
    tag: u64,
    acked_seq: Option<u64>,
    final_reads: u32,
}

/// What one receiver saw live in one conversation.
#[derive(Debug, Default)]
struct Stream {
    last_seq: u64,
    ids: HashSet<uuid::Uuid>,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Counts {
    pub asked: u64,
    pub opened: u64,
    pub sent: u64,
    pub acked: u64,
    pub refused: u64,
    pub delivered: u64,
    pub lost: u64,
    pub phantom: u64,
    pub duplicated: u64,
    pub reordered: u64,
    pub corrupted: u64,
    pub misdelivered: u64,
    pub indeterminate: u64,
}

impl Counts {
    pub fn violations(&self) -> u64 {
        self.lost + self.phantom + self.duplicated + self.reordered + self.corrupted + self.misdelivered
    }
}

#[derive(Debug)]
pub struct Ledger {
    pub counts: Counts,
    pub ack: Latency,
    pub delivery: Latency,
    messages: HashMap<uuid::Uuid, Message>,
    streams: HashMap<(u32, u32), Stream>,
    /// Conversation text id -> small number.
    conversations: HashMap<String, u32>,
    /// Highest seq before the run, per conversation: older entries are not ours to judge.
    started_at: HashMap<u32, u64>,
    warm_from_micros: u64,
}

impl Ledger {
    pub fn new(conversations: impl Iterator<Item = String>, warm_from_micros: u64) -> Self {
        Self {
            counts: Counts::default(),
            ack: Latency::new(),
            delivery: Latency::new(),
            messages: HashMap::new(),
            streams: HashMap::new(),
            conversations: conversations.zip(0..).collect(),
            started_at: HashMap::new(),
            warm_from_micros,
        }
    }

    /// Latencies count from here; correctness counts from the first message.
    pub fn warm_from(&mut self, micros: u64) {
        self.warm_from_micros = micros;
    }

    pub fn started(&mut self, conversation: &str, head_seq: u64) {
        if let Some(number) = self.conversations.get(conversation) {
            self.started_at.insert(*number, head_seq);
        }
    }

    pub fn first_seq(&self, conversation: &str) -> u64 {
        self.conversations.get(conversation).and_then(|number| self.started_at.get(number)).copied().unwrap_or(0) + 1
    }

    pub fn sending(&mut self, id: uuid::Uuid, conversation: &str, intended_micros: u64, text: &str) {
        let conversation = self.conversations.get(conversation).copied().unwrap_or(u32::MAX);
        self.counts.sent += 1;
        self.messages.insert(id, Message { conversation, intended_micros, tag: tag(text), acked_seq: None, final_reads: 0 });
    }

    pub fn acknowledged(&mut self, sent: &Sent, now_micros: u64) {
        let Some(message) = sent.id.parse().ok().and_then(|id: uuid::Uuid| self.messages.get_mut(&id)) else {
            self.counts.phantom += 1;
            return;
        };
        if message.acked_seq.replace(sent.seq).is_none() {
            self.counts.acked += 1;
            if message.intended_micros >= self.warm_from_micros {
                self.ack.record(now_micros.saturating_sub(message.intended_micros));
            }
        }
    }

    pub fn refused(&mut self, id: &str) {
        if id.parse().ok().and_then(|id: uuid::Uuid| self.messages.remove(&id)).is_some() {
            self.counts.refused += 1;
        }
    }

    /// A live entry at `receiver`, who is a member of `own` conversations only.
    pub fn delivered(&mut self, receiver: u32, is_own: bool, member: bool, entry: &Entry, now_micros: u64) {
        if !member {
            self.counts.misdelivered += 1;
            return;
        }
        let Some(conversation) = self.conversations.get(&entry.conversation).copied() else { return };
        let stream = self.streams.entry((receiver, conversation)).or_default();
        if entry.seq <= stream.last_seq {
            let known = entry.id.parse().is_ok_and(|id: uuid::Uuid| stream.ids.contains(&id));
            if known {
                self.counts.duplicated += 1
            } else {
                self.counts.reordered += 1
            }
            return;
        }
        stream.last_seq = entry.seq;
        let Ok(id) = entry.id.parse::<uuid::Uuid>() else { return };
        stream.ids.insert(id);
        let Some(message) = self.messages.get(&id) else { return };
        if text_of(entry).is_none_or(|text| tag(text) != message.tag) {
            self.counts.corrupted += 1;
        }
        if !is_own {
            self.counts.delivered += 1;
            if message.intended_micros >= self.warm_from_micros {
                self.delivery.record(now_micros.saturating_sub(message.intended_micros));
            }
        }
    }

    /// A page of the final read.
    pub fn read_back(&mut self, page: &Page) {
        let Some(conversation) = self.conversations.get(&page.conversation).copied() else { return };
        let started = self.started_at.get(&conversation).copied().unwrap_or(0);
        for entry in page.entries.iter().filter(|entry| entry.seq > started && text_of(entry).is_some()) {
            let message = entry.id.parse().ok().and_then(|id: uuid::Uuid| self.messages.get_mut(&id));
            match message {
                None => self.counts.phantom += 1,
                Some(message) => {
                    message.final_reads += 1;
                    if message.final_reads > 1 {
                        self.counts.duplicated += 1;
                    }
                    if text_of(entry).is_none_or(|text| tag(text) != message.tag) || message.conversation != conversation {
                        self.counts.corrupted += 1;
                    }
                    if message.acked_seq.is_some_and(|seq| seq != entry.seq) {
                        self.counts.reordered += 1;
                    }
                }
            }
        }
    }

    /// After the final read: acknowledged and absent is lost; unacknowledged is settled by presence.
    pub fn settle(&mut self) {
        for message in self.messages.values() {
            match (message.acked_seq, message.final_reads) {
                (Some(_), 0) => self.counts.lost += 1,
                (None, _) => self.counts.indeterminate += 1,
                _ => {}
            }
        }
    }

    pub fn outstanding(&self) -> u64 {
        self.counts.sent - self.counts.acked - self.counts.refused
    }
}

fn text_of(entry: &Entry) -> Option<&str> {
    match entry.body.as_ref()?.kind.as_ref()? {
        body::Kind::Text(text) => Some(&text.text),
        _ => None,
    }
}

fn tag(text: &str) -> u64 {
    use sha2::{Digest, Sha256};
    let digest: [u8; 32] = Sha256::digest(text).into();
    u64::from_le_bytes([digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat::wire::{Body, Text};

    const CONVERSATION: &str = "0190a5c8-7c1e-7b3a-9f0e-2f4b8d1c6a55";

    fn entry(id: uuid::Uuid, seq: u64, text: &str) -> Entry {
        let body = Body { kind: Some(body::Kind::Text(Text { text: text.into(), reply_to_seq: 0 })) };
        Entry { conversation: CONVERSATION.into(), seq, id: id.to_string(), body: Some(body), ..Entry::default() }
    }

    fn ledger() -> (Ledger, uuid::Uuid, uuid::Uuid) {
        let mut ledger = Ledger::new([CONVERSATION.to_owned()].into_iter(), 0);
        let ids = [uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2)];
        for (index, id) in ids.into_iter().enumerate() {
            ledger.sending(id, CONVERSATION, 0, &format!("line {index}"));
            let sent = Sent { id: id.to_string(), conversation: CONVERSATION.into(), seq: index as u64 + 1, ..Sent::default() };
            ledger.acknowledged(&sent, 10);
        }
        (ledger, ids[0], ids[1])
    }

    fn page(entries: Vec<Entry>) -> Page {
        Page { conversation: CONVERSATION.into(), entries, ..Page::default() }
    }

    #[test]
    fn an_honest_server_is_clean() {
        let (mut ledger, first, second) = ledger();
        for (id, seq, text) in [(first, 1, "line 0"), (second, 2, "line 1")] {
            ledger.delivered(1, false, true, &entry(id, seq, text), 20);
        }
        ledger.read_back(&page(vec![entry(first, 1, "line 0"), entry(second, 2, "line 1")]));
        ledger.settle();
        assert_eq!(ledger.counts.violations(), 0);
        assert_eq!((ledger.counts.acked, ledger.counts.delivered, ledger.outstanding()), (2, 2, 0));
    }

    #[test]
    fn each_lie_has_its_class() {
        let (mut ledger, first, second) = ledger();
        ledger.delivered(1, false, true, &entry(second, 2, "line 1"), 20);
        ledger.delivered(1, false, true, &entry(first, 1, "line 0"), 20); // reordered
        ledger.delivered(1, false, true, &entry(second, 2, "line 1"), 20); // twice
        ledger.delivered(2, false, false, &entry(first, 1, "line 0"), 20); // to a stranger
        ledger.delivered(3, false, true, &entry(first, 1, "lime 0"), 20); // a flipped bit
        ledger.read_back(&page(vec![entry(second, 2, "line 1"), entry(uuid::Uuid::from_u128(9), 3, "made up")])); // first lost
        ledger.settle();
        let counts = ledger.counts;
        assert_eq!(
            (counts.reordered, counts.duplicated, counts.misdelivered, counts.corrupted, counts.phantom, counts.lost),
            (1, 1, 1, 1, 1, 1)
        );
    }

    #[test]
    fn a_send_without_answer_is_neither_success_nor_failure() {
        let (mut ledger, first, second) = ledger();
        ledger.sending(uuid::Uuid::from_u128(3), CONVERSATION, 0, "line 2");
        ledger.read_back(&page(vec![entry(first, 1, "line 0"), entry(second, 2, "line 1")]));
        ledger.settle();
        assert_eq!((ledger.counts.indeterminate, ledger.counts.violations()), (1, 0));
    }
}
