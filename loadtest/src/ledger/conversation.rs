//! One conversation's messages: 16 bytes each, and 8 for each place of its history.

use super::Place;
use crate::report::data::Counts;
use chat::wire::{Entry, body, membership};
use std::collections::HashMap;

const SEQ: u32 = 0x00ff_ffff;
const REFUSED: u32 = 1 << 24;
/// The final read found it where its acknowledgement said.
const READ: u32 = 1 << 25;
/// The final read found it somewhere else.
const ELSEWHERE: u32 = 1 << 26;
const CORRUPTED: u32 = 1 << 27;
/// Instead of a hash prefix: this place has shown two.
const FORKED: u64 = u64::MAX;

/// What is known of one message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub(super) intended_micros: u64,
    /// Acknowledged seq (a conversation holds at most 100,000) and flags.
    packed: u32,
}

impl Record {
    pub(super) fn acked_seq(self) -> u64 {
        u64::from(self.packed & SEQ)
    }

    pub(super) fn set_acked(&mut self, seq: u64) {
        self.packed = (self.packed & !SEQ) | (u32::try_from(seq).unwrap_or(SEQ) & SEQ);
    }

    pub(super) fn is_refused(self) -> bool {
        self.packed & REFUSED != 0
    }

    pub(super) fn set_refused(&mut self) {
        self.packed |= REFUSED;
    }

    fn has(self, flag: u32) -> bool {
        self.packed & flag != 0
    }
}

#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) began_at_seq: u64,
    pub(super) read_to: Option<u64>,
    senders: Vec<Vec<Record>>,
    /// What the messages that are no text refer to, by sender and number.
    attachments: HashMap<(u8, u32), String>,
    /// First 8 bytes of the hash of each entry after `began_at_seq`; 0 = not seen.
    hashes: Vec<u64>,
    /// Moments of entries, for those that were seen.
    at_ms: Vec<i64>,
}

impl Conversation {
    pub(super) fn new(began_at_seq: u64) -> Self {
        Self { began_at_seq, read_to: None, senders: Vec::new(), attachments: HashMap::new(), hashes: Vec::new(), at_ms: Vec::new() }
    }

    pub(super) fn sending(&mut self, sender: u8, intended_micros: u64) -> u32 {
        while self.senders.len() <= usize::from(sender) {
            self.senders.push(Vec::new());
        }
        let records = &mut self.senders[usize::from(sender)];
        records.push(Record { intended_micros, packed: 0 });
        u32::try_from(records.len() - 1).unwrap_or(u32::MAX)
    }

    pub(super) fn attach(&mut self, place: Place, attachment: String) {
        self.attachments.insert((place.sender, place.number), attachment);
    }

    fn is_as_sent(&self, key: u64, place: Place, said: Said<'_>) -> bool {
        let attached = self.attachments.get(&(place.sender, place.number));
        match said {
            Said::Text(text) => attached.is_none() && place.text(key) == text,
            Said::Attachment(id) => attached.is_some_and(|sent| sent == id),
        }
    }

    pub(super) fn record(&mut self, place: Place) -> Option<&mut Record> {
        self.senders.get_mut(usize::from(place.sender))?.get_mut(place.number as usize)
    }

    fn offset(&self, seq: u64) -> usize {
        usize::try_from(seq - self.began_at_seq - 1).unwrap_or(usize::MAX)
    }

    /// False when this place showed another hash before. Told once a place.
    pub(super) fn same_history(&mut self, entry: &Entry) -> bool {
        let offset = self.offset(entry.seq);
        if self.hashes.len() <= offset {
            self.hashes.resize(offset + 1, 0);
        }
        let prefix = entry.hash.get(..8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes);
        let known = self.hashes[offset];
        let same = known == 0 || known == prefix || known == FORKED;
        if known == 0 {
            self.hashes[offset] = prefix;
        } else if !same {
            self.hashes[offset] = FORKED;
        }
        same
    }

    pub(super) fn hash_prefix(&self, seq: u64) -> Option<Vec<u8>> {
        let offset = seq.checked_sub(self.began_at_seq + 1)?;
        let known = *self.hashes.get(usize::try_from(offset).ok()?)?;
        (known != 0 && known != FORKED).then(|| known.to_be_bytes().to_vec())
    }

    /// False when the entry is older than its neighbour before, or newer than its neighbour after. Told once a place.
    pub(super) fn same_clock(&mut self, entry: &Entry) -> bool {
        let offset = self.offset(entry.seq);
        if self.at_ms.len() <= offset {
            self.at_ms.resize(offset + 1, i64::MIN);
        }
        if self.at_ms[offset] != i64::MIN {
            return true;
        }
        self.at_ms[offset] = entry.at_ms;
        let before = offset.checked_sub(1).map_or(i64::MIN, |before| self.at_ms[before]);
        let after = self.at_ms.get(offset + 1).copied().filter(|at| *at != i64::MIN).unwrap_or(i64::MAX);
        before <= entry.at_ms && entry.at_ms <= after
    }

    /// Compares an entry with what was sent; the intended moment if it is a message of this run.
    pub(super) fn check(&mut self, key: u64, number: u32, entry: &Entry, counts: &mut Counts) -> Option<u64> {
        let said = said(entry)?;
        let place = Place::read(key, &entry.id).filter(|place| place.conversation == number)?;
        let as_sent = self.is_as_sent(key, place, said);
        let record = self.record(place)?;
        if !as_sent && !record.has(CORRUPTED) {
            record.packed |= CORRUPTED;
            counts.corrupted += 1;
        }
        Some(record.intended_micros)
    }

    /// The same in the final read, where everything has to be in its place.
    pub(super) fn read(&mut self, key: u64, number: u32, entry: &Entry, counts: &mut Counts) {
        let Some(said) = said(entry) else { return };
        let place = Place::read(key, &entry.id).filter(|place| place.conversation == number);
        let as_sent = place.is_some_and(|place| self.is_as_sent(key, place, said));
        let Some(record) = place.and_then(|place| self.record(place)) else {
            counts.phantom += 1;
            return;
        };
        if record.is_refused() {
            counts.phantom += 1;
            return;
        }
        if !as_sent && !record.has(CORRUPTED) {
            record.packed |= CORRUPTED;
            counts.corrupted += 1;
        }
        match record.acked_seq() {
            // Its acknowledgement never came; now it is known that it was stored, and where.
            0 => {
                record.set_acked(entry.seq);
                record.packed |= READ;
            }
            seq if seq == entry.seq => record.packed |= READ,
            _ => record.packed |= ELSEWHERE,
        }
    }

    pub(super) fn settle(&self, counts: &mut Counts) {
        if self.read_to.is_none() {
            return; // nobody could read it: nothing is known, which the run reports as failures
        }
        for record in self.senders.iter().flatten().filter(|record| !record.is_refused()) {
            match (record.acked_seq(), record.has(READ), record.has(ELSEWHERE)) {
                (0, ..) => counts.indeterminate += 1,
                (_, true, true) => counts.duplicated += 1,
                (_, false, true) => counts.reordered += 1,
                (_, false, false) => counts.lost += 1,
                (_, true, false) => {}
            }
        }
    }
}

/// The entry that ends `user`'s membership: the last he may see.
pub(super) fn is_leaving(entry: &Entry, user: &str) -> bool {
    match entry.body.as_ref().and_then(|body| body.kind.as_ref()) {
        Some(body::Kind::Membership(membership)) => membership.user == user && membership.change() == membership::Change::Left,
        _ => false,
    }
}

/// What people say; everything else is the server's.
#[derive(Clone, Copy)]
enum Said<'a> {
    Text(&'a str),
    Attachment(&'a str),
}

fn said(entry: &Entry) -> Option<Said<'_>> {
    match entry.body.as_ref()?.kind.as_ref()? {
        body::Kind::Text(text) => Some(Said::Text(&text.text)),
        body::Kind::Image(image) => Some(Said::Attachment(&image.attachment)),
        body::Kind::Voice(voice) => Some(Said::Attachment(&voice.attachment)),
        _ => None,
    }
}
