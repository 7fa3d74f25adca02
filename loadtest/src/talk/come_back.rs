//! Losing the socket and coming back: the wait the server asked for, the cursor, the lines that are still unanswered.

use super::{Do, Talker, Told};
use crate::connect::{Ended, Socket};
use crate::measure::Metric;
use chat::wire::{Cursor, Refresh, Resume, command};
use std::time::Duration;

const BACKOFF_FIRST_MS: u64 = 500;
const BACKOFF_MAX_MS: u64 = 30_000;
/// Where a token cannot be renewed there is nothing to wait for.
const FOR_EVER: Duration = Duration::from_secs(30 * 24 * 3600);

impl Talker {
    pub(super) fn lost(&mut self, ended: Ended) {
        if self.socket.take().is_some() || self.behind_since_micros.is_none() {
            self.run.meters.socket_lost();
        }
        self.pulling = false;
        if self.behind_since_micros.is_none() {
            self.behind_since_micros = Some(self.run.clock.micros());
            self.run.behind.send_modify(|count| *count += 1);
        }
        // During a fault of our own making a lost socket is what was asked for.
        if !self.run.fault_is_on() {
            self.run.fail(&ended.class());
        }
        if ended.come_back_within_ms().is_none() {
            self.habits.comes_back = false;
        }
        self.tell(Told::Ended(ended));
    }

    /// Without a socket: comes back, or for good hears only the end. False when the run is over for him.
    pub(super) async fn gone(&mut self) -> bool {
        if self.habits.comes_back {
            self.come_back().await;
            return true;
        }
        match self.inbox.recv().await {
            Some(Do::Say { .. }) => self.run.accounts().never_tried += 1,
            Some(Do::Finish { done, .. }) => {
                // The conductor may have lost patience.
                let _ = done.send(());
                return false;
            }
            Some(_) => {}
            None => return false,
        }
        true
    }

    async fn come_back(&mut self) {
        let mut backoff_ms = BACKOFF_FIRST_MS;
        loop {
            let mut up = self.run.server_up.subscribe();
            // The sender lives as long as the run.
            let _ = up.wait_for(|up| *up).await;
            let jitter = (self.dice.unit() * backoff_ms as f64) as u64;
            tokio::time::sleep(Duration::from_millis(jitter)).await;
            let who = &self.run.people[self.person as usize];
            match Socket::open(self.run.target(who), &who.access_token(), self.device).await {
                Ok(socket) => {
                    self.socket = Some(socket);
                    self.run.meters.socket_opened();
                    break;
                }
                Err(error) => {
                    self.run.fail(&format!("reopen_{}", error.class()));
                    if matches!(error.class().as_str(), "refused_closed_4003" | "refused_closed_4002") {
                        self.renew_quietly().await;
                    }
                }
            }
            backoff_ms = (backoff_ms * 2).min(BACKOFF_MAX_MS);
        }
        self.resume().await;
    }

    pub(super) async fn resume(&mut self) {
        let conversation = self.run.people[self.person as usize].conversation.clone();
        let (seq, hash_prefix) = self.run.ledger(|ledger| {
            ledger.reconnected(self.person, self.conversation);
            let seq = ledger.whole_to(self.person, self.conversation);
            (seq, ledger.hash_prefix(self.conversation, seq))
        });
        let cursor = Cursor { conversation, seq, hash_prefix: hash_prefix.unwrap_or_default().into() };
        self.send(command::Kind::Resume(Resume { cursors: vec![cursor] })).await;
        let again: Vec<command::Kind> = self.under_way.iter().map(|line| line.record.clone()).collect();
        for record in again {
            self.send(record).await;
        }
        // The answer to a ping comes after everything before it: then `heads` has told what there is.
        self.send(command::Kind::Ping(chat::wire::Ping { nonce: 1 })).await;
    }

    /// Current: what the server told of is here, and every line has its answer.
    pub(super) fn current_again(&mut self) {
        let Some(since) = self.behind_since_micros else { return };
        let whole = self.run.ledger(|ledger| ledger.whole_to(self.person, self.conversation));
        if self.socket.is_some() && self.under_way.is_empty() && whole >= self.head_seq && !self.pulling {
            self.behind_since_micros = None;
            self.run.meters.record(Metric::Current, since, self.run.clock.micros());
            self.run.behind.send_modify(|count| *count = count.saturating_sub(1));
            self.tell(Told::Current);
        }
    }

    pub(super) fn until_renewal(&self) -> Duration {
        let now = i64::try_from(crate::clock::unix_ms()).unwrap_or(i64::MAX);
        match self.run.people[self.person as usize].renew_at_ms() {
            // Spread over half a minute, so that people who came together do not renew together.
            Some(at) => Duration::from_millis(u64::try_from(at - now).unwrap_or(0) + u64::from(self.person) % 30_000),
            None => FOR_EVER,
        }
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
