//! A message arrives: stored, acknowledged, sent to the members. And the lies that are told about messages.

use super::log::{Conversation, Draft, Repeated};
use super::world::{Out, Stale, World, now_ms};
use crate::selftest::lies::Lie;
use chat::errors::Code;
use chat::wire::{Body, Durability, Entry, Event, Send, Sent, Text, body};

const TEXT_CHARACTERS_MAX: usize = 4_000;
/// A clock that was set back by hand.
const STEP_BACK_MS: i64 = 60_000;
/// The tail of a slow server, beside what everything else takes there.
pub const TAIL_FACTOR: u64 = 10;

impl World {
    pub fn say(&mut self, line: u64, send: Send, arrived_micros: u64) {
        let Some(person) = self.lines.get(&line).map(|line| line.person) else { return };
        let Some(conversation) = self.own(person, &send.conversation) else {
            return self.refuse(line, Code::UnknownConversation, &send.id, &send.conversation);
        };
        let Some(body) = send.body.filter(may_be_said) else {
            return self.refuse(line, Code::InvalidField, &send.id, &send.conversation);
        };
        match conversation.repeated(&send.id, &body) {
            Some(Repeated::Same(entry)) => return self.acknowledge(line, &entry, arrived_micros, 0),
            Some(Repeated::Conflict) => return self.refuse(line, Code::IdConflict, &send.id, &send.conversation),
            None => {}
        }
        let resident = &self.residents[person];
        let draft = Draft { id: send.id, sender: resident.user.clone(), role: resident.role, body };
        self.append_and_tell(line, person, &send.conversation, draft, arrived_micros);
    }

    fn append_and_tell(&mut self, line: u64, person: usize, conversation: &str, draft: Draft, arrived_micros: u64) {
        let reader = self.residents[person].peer;
        let reader_is_here = self.is_here(reader);
        let steps = self.liar.strikes(Lie::ClockStep, true);
        let Some(known) = self.conversations.get_mut(conversation) else { return };
        let at_ms = if steps { known.next_at_ms(0) - STEP_BACK_MS } else { known.next_at_ms(now_ms()) };
        let entry = known.append(draft, at_ms);
        if self.liar.strikes(Lie::AckUnstored, true) {
            if let Some(known) = self.conversations.get_mut(conversation) {
                known.take_back();
            }
            self.acknowledge(line, &entry, arrived_micros, 0);
            return self.start_again();
        }
        let delay_micros = self.delay();
        self.acknowledge(line, &entry, arrived_micros, delay_micros);
        self.deliver(person, &entry);
        self.tell_reader(reader, reader_is_here, &entry);
        self.after(&entry, reader);
    }

    fn acknowledge(&mut self, line: u64, entry: &Entry, arrived_micros: u64, delay_micros: u64) {
        let sent = Sent {
            id: entry.id.clone(),
            conversation: entry.conversation.clone(),
            seq: entry.seq,
            at_ms: entry.at_ms,
            durability: Durability::Fsync.into(),
            hash: entry.hash.clone(),
        };
        let Some(line) = self.lines.get(&line) else { return };
        let answer = Out::Answer { event: sent.into(), arrived_micros };
        if delay_micros == 0 {
            let _ = line.out.send(answer);
            return;
        }
        let (out, due) = (line.out.clone(), self.clock.at(arrived_micros + delay_micros));
        tokio::spawn(async move {
            tokio::time::sleep_until(due).await;
            // The socket may have ended meanwhile.
            let _ = out.send(answer);
        });
    }

    fn delay(&mut self) -> u64 {
        match self.liar.strikes(Lie::SlowTail, true) {
            true => TAIL_FACTOR * self.slow_micros,
            false => self.slow_micros,
        }
    }

    /// The other side's sockets, and most of the lies.
    fn tell_reader(&mut self, reader: usize, here: bool, entry: &Entry) {
        let is_doctor = reader % 2 == 1;
        if self.liar.strikes(Lie::Drop, here) {
            return self.forget(entry);
        }
        for (lie, reset) in [(Lie::ResetMidFrame, true), (Lie::PartialWrite, false)] {
            if self.liar.strikes(lie, here) {
                return self.out(reader, || Out::Half { event: entry.clone().into(), reset });
            }
        }
        // The doctor only: the patient reads the conversation for the ledger.
        // And each only once: his cursor stays before what is missing, so that a second time would change nothing.
        let is_fresh = !self.skipped.contains(&reader);
        if self.liar.is(Lie::WrongOffset) && is_doctor && self.liar.strikes(Lie::WrongOffset, here && is_fresh) {
            self.skipped.insert(reader);
            self.skips.push(reader);
            return self.out(reader, || Out::Cut);
        }
        if self.liar.strikes(Lie::FlipBit, here) {
            return self.tell_person(reader, flipped(entry));
        }
        // Only where nothing is held back already.
        if self.liar.strikes(Lie::Swap, here && !self.held.contains_key(&reader)) {
            self.held.insert(reader, entry.clone());
            return;
        }
        self.tell_member(reader, entry);
        if self.liar.strikes(Lie::Dup, here) {
            self.tell_person(reader, entry.clone());
        }
        let stranger = (reader + 2) % self.residents.len();
        if self.liar.strikes(Lie::Misdeliver, self.is_here(stranger))
            && let Some(first) = self.lines_of(stranger).next()
        {
            let _ = first.out.send(Out::Event(entry.clone().into()));
        }
    }

    /// To a member, or to somebody who was one and is still told.
    fn tell_member(&mut self, reader: usize, entry: &Entry) {
        let is_member = self.conversations.get(&entry.conversation).is_some_and(|found| found.is_member(reader));
        let is_stale = self.stale.as_ref().is_some_and(|stale| stale.person == reader && stale.conversation == entry.conversation);
        if !is_member {
            if is_stale && self.liar.strikes_again(Lie::StaleAccess) {
                self.tell_person(reader, entry.clone());
            }
            return;
        }
        self.deliver(reader, entry);
    }

    /// Lies about what was delivered honestly.
    fn after(&mut self, entry: &Entry, reader: usize) {
        if self.liar.strikes(Lie::Lose, true) {
            self.forget(entry);
        }
        if self.liar.strikes(Lie::Fork, true)
            && let Some(known) = self.conversations.get_mut(&entry.conversation)
        {
            known.fork(entry.seq);
        }
        if self.liar.strikes(Lie::Phantom, true) {
            self.invent(&entry.conversation, reader);
        }
        if self.liar.is(Lie::StaleAccess) && reader % 2 == 1 && self.stale.is_none() && self.liar.begins(Lie::StaleAccess) {
            self.send_away(reader, &entry.conversation);
        }
    }

    fn forget(&mut self, entry: &Entry) {
        if let Some(known) = self.conversations.get_mut(&entry.conversation) {
            known.forget(entry.seq);
        }
    }

    /// A text in the reader's name that he never wrote.
    fn invent(&mut self, conversation: &str, author: usize) {
        let id = self.id();
        let (sender, role) = (self.residents[author].user.clone(), self.residents[author].role);
        let body = Body { kind: Some(body::Kind::Text(Text { text: "多喝热水".into(), reply_to_seq: 0 })) };
        self.record(conversation, Draft { id, sender, role, body });
    }

    /// Ends a membership and tells both; what is told to him from then on is the lie.
    fn send_away(&mut self, person: usize, conversation: &str) {
        let (id, user) = (self.id(), self.residents[person].user.clone());
        let Some(known) = self.conversations.get_mut(conversation) else { return };
        let entry = known.leave(person, &user, id, known.next_at_ms(now_ms()));
        self.stale = Some(Stale { person, conversation: conversation.to_owned() });
        self.tell_person(person, entry.clone());
        self.tell_person(self.residents[person].peer, entry);
    }

    /// Appends and tells all members.
    pub fn record(&mut self, conversation: &str, draft: Draft) -> Option<Entry> {
        let known = self.conversations.get_mut(conversation)?;
        let entry = known.append(draft, known.next_at_ms(now_ms()));
        for person in members(known) {
            self.deliver(person, &entry);
        }
        Some(entry)
    }

    /// As a process that was killed: every socket ends without a word.
    fn start_again(&mut self) {
        for line in self.lines.values() {
            let _ = line.out.send(Out::Cut);
        }
    }

    fn out(&self, person: usize, out: impl Fn() -> Out) {
        for line in self.lines_of(person) {
            let _ = line.out.send(out());
        }
    }
}

pub fn members(conversation: &Conversation) -> Vec<usize> {
    conversation.members.iter().filter(|member| member.left_at.is_none()).map(|member| member.person).collect()
}

fn may_be_said(body: &Body) -> bool {
    match &body.kind {
        Some(body::Kind::Text(text)) => (1..=TEXT_CHARACTERS_MAX).contains(&text.text.chars().count()) && !text.text.contains('\0'),
        Some(body::Kind::Image(_) | body::Kind::Voice(_) | body::Kind::Recall(_)) => true,
        _ => false,
    }
}

/// The lowest bit of the first ASCII letter or digit: the text stays well-formed UTF-8, so that only its reader can tell.
fn flipped(entry: &Entry) -> Event {
    let mut entry = entry.clone();
    if let Some(body::Kind::Text(text)) = entry.body.as_mut().and_then(|body| body.kind.as_mut()) {
        let mut characters: Vec<char> = text.text.chars().collect();
        if let Some(first) = characters.iter_mut().find(|character| character.is_ascii_alphanumeric()) {
            *first = char::from(*first as u8 ^ 1);
        }
        text.text = characters.into_iter().collect();
    }
    entry.into()
}
