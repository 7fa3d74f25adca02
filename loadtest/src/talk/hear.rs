//! What comes over the socket: checked by the ledger, timed from the intended moment.

use super::{Talker, Told};
use crate::ledger::Source;
use crate::measure::{Metric, Tick};
use chat::wire::{Entry, Error, Page, Pull, Sent, body, command, event};

pub(super) const PAGE_ENTRIES: u32 = 200;

impl Talker {
    pub(super) async fn hear(&mut self, kind: event::Kind) {
        match kind {
            event::Kind::Sent(sent) => self.answered(&sent).await,
            event::Kind::Entry(entry) => self.entry(&entry).await,
            event::Kind::Page(page) => self.page(&page).await,
            event::Kind::Heads(heads) => {
                let own = &self.run.people[self.person as usize].conversation;
                if let Some(head) = heads.heads.iter().find(|head| head.conversation == *own) {
                    self.head_seq = self.head_seq.max(head.seq);
                }
                if heads.lagging {
                    self.tell(Told::Lagging);
                }
                self.pull_if_behind().await;
            }
            event::Kind::Pong(_) if self.resuming => {
                self.resuming = false;
                self.pull_if_behind().await;
            }
            event::Kind::HistoryChanged(_) => self.run.ledger(crate::ledger::Ledger::history_changed),
            event::Kind::Error(error) => self.refused(error).await,
            event::Kind::Call(event) => self.tell(Told::Call { at_micros: self.run.clock.micros(), event }),
            _ => {}
        }
        self.current_again();
    }

    async fn answered(&mut self, sent: &Sent) {
        let now = self.run.clock.micros();
        let under_way = self.under_way.iter().position(|line| line.id == sent.id).and_then(|index| self.under_way.remove(index));
        self.head_seq = self.head_seq.max(sent.seq);
        if let Some(intended) = self.run.ledger(|ledger| ledger.acknowledged(sent)) {
            self.run.meters.tick(Tick::Acked, now);
            if self.habits.apart.is_none() {
                self.run.meters.record(Metric::Ack, intended, now);
            }
            if let Some(line) = under_way.filter(|_| self.habits.apart.is_none()) {
                self.run.meters.record(Metric::AckService, line.departed_micros, now);
            }
        }
        self.say_next().await;
    }

    async fn entry(&mut self, entry: &Entry) {
        let run = self.run.clone();
        let who = &run.people[self.person as usize];
        if entry.conversation != who.conversation {
            if !self.run.memberships.get(&who.user).is_some_and(|own| own.contains(&entry.conversation)) {
                self.run.ledger(crate::ledger::Ledger::misdelivered);
            }
            return;
        }
        self.head_seq = self.head_seq.max(entry.seq);
        let now = self.run.clock.micros();
        let heard = self.run.ledger(|ledger| ledger.heard(self.person, &who.user, entry, Source::Live));
        self.delivered(heard.delivered_from_micros, now);
        self.attached(heard.delivered_from_micros, entry);
        self.tell_of_call(entry);
        if heard.hole_from_seq.is_some() {
            self.pull_if_behind().await;
        }
    }

    fn attached(&self, delivered_from_micros: Option<u64>, entry: &Entry) {
        let kind = entry.body.as_ref().and_then(|body| body.kind.as_ref());
        if delivered_from_micros.is_some() && matches!(kind, Some(body::Kind::Image(_) | body::Kind::Voice(_))) {
            self.tell(Told::Attached(entry.clone()));
        }
    }

    fn tell_of_call(&self, entry: &Entry) {
        let kind = entry.body.as_ref().and_then(|body| body.kind.as_ref());
        if matches!(kind, Some(body::Kind::CallInvited(_) | body::Kind::CallAccepted(_) | body::Kind::CallEnded(_))) {
            self.tell(Told::Entry(entry.clone()));
        }
    }

    fn delivered(&mut self, intended_micros: Option<u64>, now: u64) {
        if let Some(intended) = intended_micros {
            self.unmarked = true;
            if self.habits.apart.is_none() {
                self.run.meters.record(Metric::Delivery, intended, now);
            }
            self.run.meters.tick(Tick::Delivered, now);
        }
    }

    async fn page(&mut self, page: &Page) {
        self.pulling = false;
        let run = self.run.clone();
        let who = &run.people[self.person as usize];
        if page.conversation != who.conversation {
            return;
        }
        self.head_seq = self.head_seq.max(page.head_seq);
        for entry in &page.entries {
            let now = self.run.clock.micros();
            let heard = self.run.ledger(|ledger| ledger.heard(self.person, &who.user, entry, Source::Page));
            self.delivered(heard.delivered_from_micros, now);
            self.attached(heard.delivered_from_micros, entry);
            self.tell_of_call(entry);
        }
        let whole = self.run.ledger(|ledger| ledger.whole_to(self.person, self.conversation));
        if page.from_seq == whole + 1 && page.entries.first().is_none_or(|first| first.seq > page.from_seq) {
            return; // not there although the head says so: the final count tells the gap, asking on would never end
        }
        self.pull_if_behind().await;
    }

    /// Asks for what is missing, one pull at a time.
    pub(super) async fn pull_if_behind(&mut self) {
        let whole = self.run.ledger(|ledger| ledger.whole_to(self.person, self.conversation));
        // The answers to a resume bring what is missing, if it is not much.
        if !self.pulling && !self.resuming && self.head_seq > whole {
            self.pulling = true;
            let conversation = self.run.people[self.person as usize].conversation.clone();
            self.send(command::Kind::Pull(Pull { conversation, from_seq: whole + 1, limit: PAGE_ENTRIES, ..Pull::default() })).await;
        }
    }

    async fn refused(&mut self, error: Error) {
        if error.conversation == self.run.people[self.person as usize].conversation {
            self.pulling = false;
        }
        let line = self.under_way.iter().position(|line| line.id == error.re);
        match line {
            // Whether it was done is unknown; the final read settles it.
            Some(index) if error.code == "timeout" => {
                self.fail(&error.code);
                self.under_way.remove(index);
            }
            Some(index) => {
                self.fail(&error.code);
                self.under_way.remove(index);
                self.run.ledger(|ledger| ledger.refused(&error.re));
                self.say_next().await;
            }
            // Whether a scenario's own command may be refused, it knows itself.
            None if self.told.is_some() && !error.re.is_empty() => self.tell(Told::Refused { re: error.re, code: error.code }),
            None => self.fail(&error.code),
        }
    }

    /// A slow reader takes as long over a record as his line would.
    pub(super) fn read_slowly(&mut self, kind: &event::Kind) {
        if let Some(bytes_per_s) = self.habits.reads_bytes_per_s.filter(|rate| *rate > 0) {
            let bytes = match kind {
                event::Kind::Entry(entry) => prost::Message::encoded_len(entry),
                event::Kind::Page(page) => prost::Message::encoded_len(page),
                _ => 32,
            };
            self.deaf_until_micros = Some(self.run.clock.micros() + bytes as u64 * 1_000_000 / bytes_per_s);
        }
    }
}
