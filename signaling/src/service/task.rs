//! One call's task: takes orders one at a time, hands them to the machine, carries out what the machine says.
//!
//! The only state beside the machine is what must not be in it: rates, relay tokens, how far the log was followed.

use super::{Order, Shared};
use crate::call::{Call, Input, Link, Output, Phase, Report, Side, Speaker, To, Wish};
use crate::courier::Address;
use crate::error::CallError;
use crate::rate::Bucket;
use crate::signal::{self, CandidatePolicy};
use crate::{timing, turn};
use chat::hub::Caller;
use chat::ids::{ConversationId, Timestamp};
use chat::log::head::LiveCall;
use chat::wire::{self, call_command, call_event::Kind};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio::sync::mpsc;

pub(super) struct CallTask {
    pub shared: Arc<Shared>,
    pub call: Call,
    orders: mpsc::Receiver<Order>,
    /// Whose command is being handled, so that a refusal reaches the socket that asked.
    pub asker: Option<Caller>,
    /// Newest seq of the conversation whose facts this task knows.
    pub followed_seq: u64,
    signals: [Bucket; 2],
    others: [Bucket; 2],
    relay_tokens: [String; 2],
    ended_at: Option<Timestamp>,
}

impl CallTask {
    pub fn new(shared: Arc<Shared>, call: Call, orders: mpsc::Receiver<Order>) -> Self {
        let now = shared.clock.now();
        let limits = shared.limits;
        let token = || shared.entropy.bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            signals: [Bucket::full(limits.signal_period_ms, limits.signals_burst, now); 2],
            others: [Bucket::full(limits.other_period_ms, limits.others_burst, now); 2],
            relay_tokens: [token(), token()],
            shared,
            call,
            orders,
            asker: None,
            followed_seq: 0,
            ended_at: None,
        }
    }

    /// The rest of the life of a call that the log holds and this node did not know.
    pub async fn restore(shared: Arc<Shared>, conversation: ConversationId, live: LiveCall, orders: mpsc::Receiver<Order>) {
        let call = Call::restore(shared.clock.now(), conversation, &live);
        let mut task = Self::new(shared, call, orders);
        task.followed_seq = live.invited_seq;
        task.hold_lines();
        task.follow().await;
        task.live().await;
    }

    pub async fn live(mut self) {
        let stop = self.shared.stop.clone();
        loop {
            let now = self.shared.clock.now();
            if self.ended_at.is_some_and(|at| now.since_ms(at) >= timing::REMEMBER_ENDED_MS) {
                break;
            }
            let wait = self.wait(now);
            tokio::select! {
                () = stop.cancelled() => break,
                order = self.orders.recv() => match order {
                    Some(order) => self.obey(order).await,
                    None => break,
                },
                () = tokio::time::sleep(wait) => self.tick().await,
            }
        }
        self.shared.calls.remove(&self.call.id);
    }

    fn wait(&self, now: Timestamp) -> Duration {
        let forget_at = self.ended_at.map(|at| at.plus_ms(timing::REMEMBER_ENDED_MS));
        let due = self.call.next_deadline().or(forget_at).unwrap_or(now);
        Duration::from_millis(u64::try_from(due.since_ms(now)).unwrap_or(0).max(1))
    }

    async fn obey(&mut self, order: Order) {
        match order {
            Order::Command(caller, kind) => self.command(caller, kind).await,
            Order::Look(caller) => self.look(caller),
            Order::Close(done) => {
                self.input(Input::ConversationClosed).await;
                let _ = done.send(()); // whoever asked has gone
            }
            Order::Tick(done) => {
                self.tick().await;
                let _ = done.send(());
            }
            Order::Sweep(done) => {
                self.sweep().await;
                let _ = done.send(());
            }
        }
    }

    async fn tick(&mut self) {
        self.input(Input::Tick).await;
    }

    async fn command(&mut self, caller: Caller, kind: call_command::Kind) {
        let Some(side) = self.call.side_of(caller.user) else { return self.refuse(caller, &CallError::Unknown) };
        let from = Speaker { side, device: caller.device };
        let checked = self.rate(side, &kind).and_then(|()| self.wish(kind));
        self.asker = Some(caller);
        match checked {
            Ok(Some(wish)) => self.input(Input::Wish { from, wish }).await,
            Ok(None) => {}
            Err(error) => self.refuse(caller, &error),
        }
        self.asker = None;
    }

    fn rate(&mut self, side: Side, kind: &call_command::Kind) -> Result<(), CallError> {
        let buckets = if matches!(kind, call_command::Kind::Signal(_)) { &mut self.signals } else { &mut self.others };
        let now = self.shared.clock.now();
        buckets[side as usize].take(now).map_err(|retry_after_ms| CallError::RateLimited { retry_after_ms })
    }

    /// `None`: nothing to do, and no error.
    fn wish(&self, kind: call_command::Kind) -> Result<Option<Wish>, CallError> {
        Ok(Some(match kind {
            // A repeated invite is answered by where the call stands.
            call_command::Kind::Invite(_) => Wish::Attach { media_kept: true },
            call_command::Kind::Ringing(_) => Wish::Ringing,
            call_command::Kind::Accept(_) => Wish::Accept,
            call_command::Kind::Reject(reject) if reject.reason.chars().count() > timing::REASON_CHARS_MAX => {
                return Err(CallError::InvalidField);
            }
            call_command::Kind::Reject(reject) => Wish::Reject { busy: reject.reason == "busy" },
            call_command::Kind::Cancel(_) => Wish::Cancel,
            call_command::Kind::HangUp(_) => Wish::HangUp,
            call_command::Kind::Signal(signal) => return Ok(signal::check(signal, &self.policy())?.map(Wish::Signal)),
            call_command::Kind::Connection(connection) => Wish::Report(report(&connection)?),
            call_command::Kind::IceRequest(_) => Wish::Ice,
            call_command::Kind::Attach(attach) => Wish::Attach { media_kept: attach.media_kept },
            call_command::Kind::MediaChange(change) => Wish::ChangeMedia(change.media()),
        }))
    }

    fn policy(&self) -> CandidatePolicy {
        let relay_only = self.shared.turn.as_ref().is_some_and(|turn| turn.relay_only);
        let candidates = self.shared.limits.candidates;
        CandidatePolicy { relay_only: relay_only || candidates.relay_only, ..candidates }
    }

    pub async fn input(&mut self, input: Input) {
        let outputs = self.call.handle(self.shared.clock.now(), input);
        self.carry_out(outputs.into()).await;
    }

    /// Until nothing is left: what the log answers may lead to more.
    pub async fn carry_out(&mut self, mut outputs: VecDeque<Output>) {
        while let Some(output) = outputs.pop_front() {
            match output {
                Output::Tell(to, kind) => self.tell(to, kind),
                Output::Answer(speaker, error) => self.answer(speaker, &error),
                Output::Propose(proposal) => {
                    let answers = self.propose(proposal).await;
                    let now = self.shared.clock.now();
                    outputs.extend(answers.into_iter().flat_map(|answer| self.call.handle(now, answer)));
                }
            }
        }
        self.note_end();
    }

    fn note_end(&mut self) {
        if let (Phase::Ended(reason), None) = (self.call.phase(), self.ended_at) {
            self.ended_at = Some(self.shared.clock.now());
            for side in Side::BOTH {
                self.shared.lines.release(self.call.party(side).user, self.call.id);
            }
            metrics::counter!("wenzhen_calls_ended_total", "reason" => reason.as_str_name()).increment(1);
        }
    }

    fn tell(&self, to: To, kind: Kind) {
        let address = match to {
            To::AllDevices(side) => Some(Address::AllDevices(self.call.party(side).user)),
            To::OtherDevices(side, device) => Some(Address::OtherDevices(self.call.party(side).user, device)),
            To::Device(side, device) => Some(Address::Device(self.call.party(side).user, device)),
            // Unknown until it attaches; then it asks for all it missed.
            To::Seat(side) => self.call.party(side).device.map(|device| Address::Device(self.call.party(side).user, device)),
        };
        let side = match to {
            To::Seat(side) | To::AllDevices(side) | To::OtherDevices(side, _) | To::Device(side, _) => side,
        };
        if let Some(address) = address {
            self.shared.courier.send(address, self.event(self.with_ice(side, kind)));
        }
    }

    fn with_ice(&self, side: Side, kind: Kind) -> Kind {
        let ice = || turn::ice(self.shared.turn.as_ref(), self.shared.clock.now(), &self.relay_tokens[side as usize]);
        match kind {
            Kind::Started(started) => Kind::Started(wire::CallStarted { ice: Some(ice()), ..started }),
            Kind::Snapshot(snapshot) if self.call.phase().is_answered() => {
                Kind::Snapshot(wire::CallSnapshot { ice: Some(ice()), ..snapshot })
            }
            Kind::Ice(_) => Kind::Ice(ice()),
            other => other,
        }
    }

    fn event(&self, kind: Kind) -> wire::Event {
        let event = wire::CallEvent { call: self.call.id.to_string(), conversation: self.call.conversation.to_string(), kind: Some(kind) };
        wire::Event { kind: Some(wire::event::Kind::Call(event)) }
    }

    /// To one socket and without taking part: the loser of two invites learns of the call that survived.
    fn look(&self, caller: Caller) {
        let Some(side) = self.call.side_of(caller.user) else { return };
        if let Some(kind) = self.call.incoming_for(side) {
            self.shared.courier.send(Address::Asker(caller), self.event(kind));
        }
    }

    fn answer(&self, speaker: Speaker, error: &CallError) {
        if let Some(caller) = self.asker.filter(|caller| self.call.side_of(caller.user) == Some(speaker.side)) {
            self.refuse(caller, error);
        }
    }

    fn refuse(&self, caller: Caller, error: &CallError) {
        // Whoever is no party of the call must not learn where it is.
        let conversation = self.call.side_of(caller.user).map(|_| self.call.conversation.to_string()).unwrap_or_default();
        self.shared.refuse(caller, &self.call.id.to_string(), &conversation, error);
    }
}

fn report(connection: &wire::CallConnection) -> Result<Report, CallError> {
    let link = match connection.state() {
        wire::call_connection::State::Connected => Link::Connected,
        wire::call_connection::State::Reconnecting => Link::Reconnecting,
        wire::call_connection::State::Failed => Link::Failed,
        wire::call_connection::State::Unspecified => return Err(CallError::InvalidField),
    };
    Ok(Report { link, loss_permille: connection.loss_permille.min(1000) })
}
