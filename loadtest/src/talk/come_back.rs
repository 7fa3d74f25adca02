//! Losing the socket and coming back: the wait the server asked for, the cursor, the lines that are still unanswered.

use super::backoff::Backoff;
use super::{Do, Loss, Talker, Told};
use crate::connect::{ComeBack, Ended, Socket};
use crate::measure::Metric;
use chat::wire::{Cursor, Refresh, Resume, command};
use std::time::Duration;

impl Talker {
    pub(super) fn lost(&mut self, ended: Ended, loss: Loss) {
        if self.socket.take().is_some() {
            self.run.meters.socket_lost();
        }
        self.pulling = false;
        if self.behind_since_micros.is_none() {
            self.behind_since_micros = Some(self.run.clock.micros());
            // Nobody waits for those who misbehave.
            if self.habits.apart.is_none() {
                self.run.behind.send_modify(|count| *count += 1);
            }
        }
        if loss == Loss::Suffered {
            self.fail_unless_fault(&ended.class());
        }
        self.asked = ended.come_back();
        self.tell(Told::Ended);
    }

    /// During a fault of our own making a lost socket is what was asked for.
    fn fail_unless_fault(&self, class: &str) {
        if self.run.fault_is_on() {
            self.run.meters.expected(class);
        } else {
            self.fail(class);
        }
    }

    /// Without a socket: comes back, or hears only the end, for which he tries once more. False when the run is over for him.
    pub(super) async fn gone(&mut self) -> bool {
        if self.habits.comes_back
            && let Some(asked) = self.asked
        {
            self.come_back(asked).await;
            return true;
        }
        match self.inbox.recv().await {
            Some(Do::Say { .. }) => self.run.accounts().never_tried += 1,
            Some(Do::Finish { reader, done }) => {
                self.finish(reader).await;
                // The conductor may have lost patience.
                let _ = done.send(());
                return false;
            }
            Some(_) => {}
            None => return false,
        }
        true
    }

    /// As any client: it knows nothing of the server but what it hears, so it tries until the end of the run.
    async fn come_back(&mut self, mut asked: ComeBack) {
        let mut backoff = Backoff::default();
        let patience_micros = if self.habits.apart.is_none() { self.run.plan.patience.micros() } else { 0 };
        let give_up_micros = self.run.end_micros().saturating_add(patience_micros);
        while self.run.clock.micros() < give_up_micros {
            let wait = tokio::time::sleep(backoff.wait(asked, &mut self.dice));
            if tokio::time::timeout_at(self.run.clock.at(give_up_micros), wait).await.is_err() {
                break;
            }
            if asked.new_token {
                self.renew_quietly().await;
            }
            let who = &self.run.people[self.person as usize];
            match Socket::open(self.run.target(who), &who.access_token(), self.device).await {
                Ok(socket) => {
                    self.socket = Some(socket);
                    self.here_since_micros = self.run.clock.micros();
                    self.run.meters.socket_opened();
                    return self.resume().await;
                }
                Err(error) => {
                    self.fail_unless_fault(&format!("reopen_{}", error.class()));
                    match error.come_back() {
                        Some(next) => asked = next,
                        None => break,
                    }
                }
            }
        }
        self.asked = None;
        if self.habits.apart.is_none() {
            self.run.fail("never_came_back");
        }
        self.run.ledger(|ledger| ledger.given_up(self.under_way.len() as u64));
        self.under_way.clear();
    }

    pub(super) async fn resume(&mut self) {
        let conversation = self.run.people[self.person as usize].conversation.clone();
        let (seq, hash_prefix) = self.run.ledger(|ledger| {
            ledger.reconnected(self.person, self.conversation);
            let seq = ledger.whole_to(self.person, self.conversation);
            (seq, ledger.hash_prefix(self.conversation, seq))
        });
        let cursor = Cursor { conversation, seq, hash_prefix: hash_prefix.unwrap_or_default().into() };
        self.resuming = true;
        self.send(command::Kind::Resume(Resume { cursors: vec![cursor] })).await;
        let again: Vec<command::Kind> = self.under_way.iter().map(|line| line.record.clone()).collect();
        for record in again {
            self.send(record).await;
        }
        // The answer to a ping comes after those to everything before it: heads, pages, acknowledgements.
        self.send(command::Kind::Ping(chat::wire::Ping { nonce: 1 })).await;
    }

    /// Current: what the server told of is here, and every line has its answer.
    pub(super) fn current_again(&mut self) {
        let Some(since) = self.behind_since_micros else { return };
        let whole = self.run.ledger(|ledger| ledger.whole_to(self.person, self.conversation));
        if self.socket.is_some() && self.under_way.is_empty() && whole >= self.head_seq && !self.pulling && !self.resuming {
            self.behind_since_micros = None;
            if self.habits.apart.is_none() {
                self.run.meters.record(Metric::Current, since, self.run.clock.micros());
                self.run.behind.send_modify(|count| *count = count.saturating_sub(1));
            }
            self.tell(Told::Current);
        }
    }

    pub(super) fn until_renewal(&self) -> Duration {
        self.run.people[self.person as usize].until_renewal(self.person)
    }

    /// New tokens over HTTP, told to the living socket.
    pub(super) async fn renew(&mut self) {
        let who = &self.run.people[self.person as usize];
        if let Err(class) = who.renew_if_due(&self.run.http, self.run.target(who)).await {
            self.run.fail(&format!("renew_{class}"));
        }
        let access_token = who.access_token();
        self.send(command::Kind::Refresh(Refresh { access_token })).await;
    }

    async fn renew_quietly(&self) {
        let who = &self.run.people[self.person as usize];
        if let Err(class) = who.renew(&self.run.http, self.run.target(who)).await {
            self.run.fail(&format!("renew_{class}"));
        }
    }
}
