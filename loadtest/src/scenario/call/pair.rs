//! Two people of one conversation and what both have heard of their calls; every event is checked here, whoever waits for it.

use super::signals::{Arrival, Flying};
use crate::clock::unix_ms;
use crate::ledger::calls::{Calls, Found};
use crate::measure::Metric;
use crate::run::Run;
use crate::talk::{Do, Seat, Told};
use chat::wire::{CallCommand, CallEvent, CallSignal, Entry, body, call_advice, call_command, call_event, call_signal, command};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

pub(super) type Ear = mpsc::UnboundedReceiver<Told>;

pub(super) struct Pair {
    pub run: Arc<Run>,
    seats: [Seat; 2],
    ears: [Ear; 2],
    conversation: String,
    /// Call -> the side that made it.
    made_by: HashMap<String, usize>,
    calls: Calls,
    pub flying: Flying,
    /// Calls that did not go their course.
    pub failed: u64,
    /// What each side has heard since the call began.
    pub heard: [HeardOfCall; 2],
}

#[derive(Debug, Default)]
pub(super) struct HeardOfCall {
    pub incoming: Option<(String, u64)>,
    /// The refused call and why.
    pub refused: Option<(String, String)>,
    pub started_at: Option<u64>,
    pub description: Option<(CallSignal, u64)>,
    pub has_snapshot: bool,
    pub has_ice: bool,
    pub restarts_ice: bool,
    pub peer_states: u32,
    pub is_without_socket: bool,
    pub over: HashMap<String, u64>,
    pub ended: HashSet<String>,
}

impl Pair {
    pub(super) fn new(run: Arc<Run>, [(first, ear), (second, other_ear)]: [(Seat, Ear); 2]) -> Self {
        let conversation = run.people[first.person as usize].conversation.clone();
        Self {
            run,
            seats: [first, second],
            ears: [ear, other_ear],
            conversation,
            made_by: HashMap::new(),
            calls: Calls::default(),
            flying: Flying::default(),
            failed: 0,
            heard: Default::default(),
        }
    }

    /// Everything heard before belongs to calls that are over.
    pub(super) fn forget(&mut self) {
        for side in 0..2 {
            while let Ok(told) = self.ears[side].try_recv() {
                self.note(side, told);
            }
        }
        self.heard = Default::default();
        self.flying = Flying::default();
    }

    pub(super) fn makes(&mut self, side: usize, call: &str) {
        self.made_by.insert(call.to_owned(), side);
        self.calls.invited(call, &self.conversation);
    }

    pub(super) fn is_over(&mut self, call: &str) {
        self.calls.over(call, self.run.clock.micros());
    }

    pub(super) fn conversation(&self) -> String {
        self.conversation.clone()
    }

    pub(super) fn tell(&self, side: usize, doing: Do) {
        self.seats[side].tell(doing);
    }

    pub(super) fn command(&self, side: usize, call: &str, kind: call_command::Kind) {
        let command = CallCommand { call: call.to_owned(), kind: Some(kind) };
        self.tell(side, Do::Command(command::Kind::Call(command)));
    }

    pub(super) fn signal(&mut self, from: usize, call: &str, signal: CallSignal) {
        self.flying.depart(1 - from, &signal, self.run.clock.micros());
        self.command(from, call, call_command::Kind::Signal(signal));
    }

    /// Hears both until it is so; false when it is not within that time.
    pub(super) async fn until(&mut self, within: Duration, is_so: impl Fn(&Self) -> bool) -> bool {
        let give_up = self.run.clock.at(self.run.clock.micros() + u64::try_from(within.as_micros()).unwrap_or(u64::MAX));
        loop {
            if is_so(self) {
                return true;
            }
            let [first, second] = &mut self.ears;
            let (side, told) = tokio::select! {
                told = first.recv() => (0, told),
                told = second.recv() => (1, told),
                () = tokio::time::sleep_until(give_up) => return is_so(self),
            };
            match told {
                Some(told) => self.note(side, told),
                None => return false, // somebody is gone for good
            }
        }
    }

    fn note(&mut self, side: usize, told: Told) {
        match told {
            Told::Call { at_micros, event } => self.event(side, at_micros, event),
            Told::Entry(entry) => self.entry(side, &entry),
            Told::Refused { re, code } => self.heard[side].refused = Some((re, code)),
            Told::Ended => self.heard[side].is_without_socket = true,
            Told::Current => self.heard[side].is_without_socket = false,
            Told::Lagging | Told::Attached(_) => {}
        }
    }

    fn event(&mut self, side: usize, at: u64, event: CallEvent) {
        let Some(kind) = event.kind else { return };
        let known = self.made_by.get(&event.call).copied();
        if event.conversation != self.conversation && known.is_none() {
            return self.run.ledger(crate::ledger::Ledger::misdelivered);
        }
        let heard = &mut self.heard[side];
        match kind {
            call_event::Kind::Incoming(incoming) => {
                let left_ms = incoming.deadline_ms.saturating_sub(i64::try_from(unix_ms()).unwrap_or(i64::MAX));
                let deadline = at.saturating_add_signed(left_ms.saturating_mul(1000));
                self.calls.rings(&event.call, &self.conversation, at, deadline);
                heard.incoming.get_or_insert((event.call, at));
            }
            call_event::Kind::Started(_) => {
                self.calls.started(&event.call, &self.conversation);
                if known != Some(side) {
                    self.calls.stopped(&event.call, at);
                }
                heard.started_at.get_or_insert(at);
            }
            call_event::Kind::Elsewhere(_) => self.calls.stopped(&event.call, at),
            call_event::Kind::Over(_) => {
                self.calls.over(&event.call, at);
                if known != Some(side) {
                    self.calls.stopped(&event.call, at);
                }
                heard.over.insert(event.call, at);
            }
            call_event::Kind::Signal(signal) => self.arrived(side, at, signal),
            call_event::Kind::Snapshot(_) => heard.has_snapshot = true,
            call_event::Kind::Ice(_) => heard.has_ice = true,
            call_event::Kind::Advice(advice) => heard.restarts_ice |= advice.action() == call_advice::Action::IceRestart,
            call_event::Kind::PeerConnection(_) => heard.peer_states += 1,
            call_event::Kind::Ringing(_) | call_event::Kind::MediaChanged(_) => {}
        }
    }

    fn arrived(&mut self, side: usize, at: u64, signal: CallSignal) {
        match self.flying.arrive(side, &signal) {
            Arrival::Intact(departed) => self.run.meters.record(Metric::CallSignal, departed, at),
            Arrival::Again => return self.run.ledger(|ledger| ledger.counts.duplicated += 1),
            Arrival::Foreign => return self.run.ledger(|ledger| ledger.counts.corrupted += 1),
        }
        if !matches!(signal.kind, Some(call_signal::Kind::Candidate(_))) {
            self.heard[side].description = Some((signal, at));
        }
    }

    fn entry(&mut self, side: usize, entry: &Entry) {
        if let Some(body::Kind::CallEnded(ended)) = entry.body.as_ref().and_then(|body| body.kind.as_ref()) {
            self.heard[side].ended.insert(ended.call.clone());
        }
    }

    /// The last word on this pair's calls.
    pub(super) fn settle(mut self) -> (Found, [Seat; 2]) {
        self.forget();
        (self.calls.settle(self.run.clock.micros()), self.seats)
    }
}
