//! The correctness ledger: what was sent, acknowledged, delivered and finally read, compared message by message.
//!
//! An answer that stays out is a third outcome; the final read decides it, never a guess. A violation is counted once, where it shows.

pub mod calls;
mod conversation;
pub mod money;
mod paged;
mod place;
pub mod slots;
mod stream;

pub use paged::Asked;
pub use place::Place;
pub use stream::Source;

use crate::report::data::Counts;
use chat::wire::{Entry, Page, Sent};
use conversation::Conversation;
use std::collections::HashMap;
use stream::Stream;

#[derive(Debug)]
pub struct Ledger {
    pub counts: Counts,
    /// Belongs to the run; without it ids of an earlier run would be taken for ours.
    key: u64,
    conversations: Vec<Conversation>,
    numbers: HashMap<String, u32>,
    streams: HashMap<(u32, u32), Stream>,
    /// Person and conversation -> newest seq he may see.
    ended_access: HashMap<(u32, u32), u64>,
    given_up: u64,
}

/// What became of something a receiver heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// A message of this run, for the first time, from somebody else: its intended moment.
    pub delivered_from_micros: Option<u64>,
    /// The stream has a hole before this entry: pull from here.
    pub hole_from_seq: Option<u64>,
}

impl Ledger {
    pub fn new(key: u64) -> Self {
        Self {
            counts: Counts::default(),
            key,
            conversations: Vec::new(),
            numbers: HashMap::new(),
            streams: HashMap::new(),
            ended_access: HashMap::new(),
            given_up: 0,
        }
    }

    /// Makes a conversation known, with its newest seq before the run: what stands there already is not ours to judge.
    pub fn conversation(&mut self, id: &str, head_seq: u64) -> u32 {
        if let Some(number) = self.numbers.get(id) {
            return *number;
        }
        let number = u32::try_from(self.conversations.len()).unwrap_or(u32::MAX);
        self.numbers.insert(id.to_owned(), number);
        self.conversations.push(Conversation::new(head_seq));
        number
    }

    pub fn number(&self, id: &str) -> Option<u32> {
        self.numbers.get(id).copied()
    }

    pub fn began_at_seq(&self, conversation: u32) -> u64 {
        self.conversations[conversation as usize].began_at_seq
    }

    /// The place of a new message; its id and text follow from it.
    pub fn sending(&mut self, conversation: u32, sender: u8, intended_micros: u64) -> Place {
        self.counts.sent += 1;
        let number = self.conversations[conversation as usize].sending(sender, intended_micros);
        Place { conversation, sender, number }
    }

    /// The same of a message that is a picture or a voice.
    pub fn sending_attachment(&mut self, conversation: u32, sender: u8, intended_micros: u64, attachment: &str) -> Place {
        let place = self.sending(conversation, sender, intended_micros);
        self.conversations[conversation as usize].attach(place, attachment.to_owned());
        place
    }

    pub fn id(&self, place: Place, unix_ms: u64) -> uuid::Uuid {
        place.id(self.key, unix_ms)
    }

    /// The text only that message has.
    pub fn text(&self, place: Place) -> String {
        place.text(self.key)
    }

    /// The intended moment, when this is the first answer to that message.
    pub fn acknowledged(&mut self, sent: &Sent) -> Option<u64> {
        let record = Place::read(self.key, &sent.id).and_then(|place| {
            let conversation = self.conversations.get_mut(place.conversation as usize)?;
            conversation.record(place)
        });
        let Some(record) = record else {
            self.counts.phantom += 1;
            return None;
        };
        if record.acked_seq() == 0 {
            record.set_acked(sent.seq);
            self.counts.acked += 1;
            return Some(record.intended_micros);
        }
        if record.acked_seq() != sent.seq {
            self.counts.duplicated += 1; // one message, two places
        }
        None
    }

    /// The server said no for good: the message must not be found later.
    pub fn refused(&mut self, id: &str) -> bool {
        let Some(place) = Place::read(self.key, id) else { return false };
        let Some(record) = self.conversations.get_mut(place.conversation as usize).and_then(|found| found.record(place)) else {
            return false;
        };
        let first = record.acked_seq() == 0 && !record.is_refused();
        if first {
            record.set_refused();
            self.counts.refused += 1;
        }
        first
    }

    /// From this seq on `person` may see nothing more of the conversation.
    pub fn access_ended(&mut self, person: u32, conversation: u32, last_seq: u64) {
        self.ended_access.insert((person, conversation), last_seq);
    }

    /// A receiver's socket is new: what comes live may begin anywhere.
    pub fn reconnected(&mut self, person: u32, conversation: u32) {
        self.streams.entry((person, conversation)).or_default().reconnected();
    }

    /// An entry of one of his conversations reached `person`, live or in a page he pulled.
    pub fn heard(&mut self, person: u32, user: &str, entry: &Entry, source: Source) -> Heard {
        let Some(number) = self.numbers.get(&entry.conversation).copied() else { return Heard::default() };
        let conversation = &mut self.conversations[number as usize];
        if entry.seq <= conversation.began_at_seq {
            return Heard::default();
        }
        if self.ended_access.get(&(person, number)).is_some_and(|last| entry.seq > *last) {
            self.counts.stale_access += 1;
            return Heard::default();
        }
        if !conversation.same_history(entry) {
            self.counts.forked += 1;
        }
        if !conversation.same_clock(entry) {
            self.counts.clock += 1;
        }
        let stream = self.streams.entry((person, number)).or_default();
        let step = stream.step(entry.seq - conversation.began_at_seq, source);
        self.counts.duplicated += u64::from(step.duplicated);
        self.counts.reordered += u64::from(step.reordered);
        let hole_from_seq = step.hole_from.map(|offset| offset + conversation.began_at_seq);
        if !step.new {
            return Heard { delivered_from_micros: None, hole_from_seq };
        }
        if conversation::is_leaving(entry, user) {
            self.ended_access.insert((person, number), entry.seq);
        }
        let delivered = conversation.check(self.key, number, entry, &mut self.counts).filter(|_| entry.sender != user);
        self.counts.delivered += u64::from(delivered.is_some());
        Heard { delivered_from_micros: delivered, hole_from_seq }
    }

    /// Something of a conversation `person` is no member of.
    pub fn misdelivered(&mut self) {
        self.counts.misdelivered += 1;
    }

    /// The server denies a history it acknowledged.
    pub fn history_changed(&mut self) {
        self.counts.forked += 1;
    }

    /// The newest seq up to which `person` holds everything.
    pub fn whole_to(&self, person: u32, conversation: u32) -> u64 {
        let whole = self.streams.get(&(person, conversation)).map_or(0, Stream::whole_to);
        whole + self.began_at_seq(conversation)
    }

    /// Hash prefix of an entry, as all saw it.
    pub fn hash_prefix(&self, conversation: u32, seq: u64) -> Option<Vec<u8>> {
        self.conversations[conversation as usize].hash_prefix(seq)
    }

    /// A page of the final read by one member; the pages of one reader come in order from the first seq of the run.
    pub fn read_back(&mut self, page: &Page) {
        let Some(number) = self.numbers.get(&page.conversation).copied() else { return };
        for entry in &page.entries {
            let conversation = &mut self.conversations[number as usize];
            if entry.seq > conversation.began_at_seq {
                if !conversation.same_history(entry) {
                    self.counts.forked += 1;
                }
                conversation.read(self.key, number, entry, &mut self.counts);
            }
        }
    }

    /// The final read of a conversation reached `head_seq`.
    pub fn read_whole(&mut self, conversation: u32, head_seq: u64) {
        self.conversations[conversation as usize].read_to = Some(head_seq);
    }

    /// After the final read: acknowledged and absent is lost; unacknowledged is settled by presence; holes that stayed are gaps.
    pub fn settle(&mut self) {
        for conversation in &self.conversations {
            conversation.settle(&mut self.counts);
        }
        for ((person, number), stream) in &self.streams {
            let conversation = &self.conversations[*number as usize];
            let ended = self.ended_access.get(&(*person, *number)).copied();
            let head = conversation.read_to.map(|head| ended.map_or(head, |last| last.min(head)));
            self.counts.gaps += head.map_or(0, |head| stream.holes(head.saturating_sub(conversation.began_at_seq)));
        }
    }

    /// Sends whose sender is gone for good: nobody waits for their answers; the final read settles them.
    pub fn given_up(&mut self, sends: u64) {
        self.given_up += sends;
    }

    /// Sends whose answer is still out.
    pub fn outstanding(&self) -> u64 {
        (self.counts.sent - self.counts.acked - self.counts.refused).saturating_sub(self.given_up)
    }
}

#[cfg(test)]
mod tests;
