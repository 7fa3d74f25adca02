//! Calls of the selftest server, as far as signaling/PROTOCOL.md promises them: ring, answer, relay, end, and the entries that stay.

use super::log::Draft;
use super::world::{World, now_ms};
use crate::selftest::lies::Lie;
use chat::errors::Code;
use chat::wire::{
    Body, CallAccepted, CallCommand, CallConnection, CallElsewhere, CallEndReason, CallEnded, CallEvent, CallIce, CallIncoming,
    CallInvited, CallMediaChanged, CallOver, CallPeerConnection, CallRingingAt, CallSnapshot, CallStarted, body, call_command,
    call_connection, call_event, call_snapshot,
};
use signaling::timing::RING_MS;

#[derive(Clone, Debug)]
pub struct Call {
    conversation: String,
    /// Caller and callee.
    parties: [usize; 2],
    devices: [Option<String>; 2],
    connected: [bool; 2],
    media: i32,
    phase: call_snapshot::Phase,
    deadline_ms: i64,
    connected_at_ms: Option<i64>,
}

impl Call {
    fn is_live(&self) -> bool {
        self.phase != call_snapshot::Phase::Ended
    }

    fn side(&self, person: usize) -> Option<usize> {
        self.parties.iter().position(|party| *party == person)
    }

    fn snapshot(&self, side: usize, from: &str) -> CallSnapshot {
        CallSnapshot {
            phase: self.phase.into(),
            polite: side == 1,
            media: self.media,
            deadline_ms: self.deadline_ms,
            ice: Some(CallIce::default()),
            from: from.to_owned(),
        }
    }
}

impl World {
    pub fn call(&mut self, line: u64, person: usize, command: CallCommand) {
        let id = command.call;
        if let Some(call_command::Kind::Invite(invite)) = &command.kind {
            return self.invite(line, person, id, &invite.conversation, invite.media);
        }
        let Some((mut call, side)) = self.calls.get(&id).and_then(|call| Some((call.clone(), call.side(person)?))) else {
            return self.refuse(line, Code::UnknownCall, &id, "");
        };
        let device = self.lines.get(&line).map(|line| line.device.clone()).unwrap_or_default();
        let other = call.parties[1 - side];
        let answered = !matches!(call.phase, call_snapshot::Phase::Ringing | call_snapshot::Phase::Ended);
        match command.kind {
            Some(call_command::Kind::Attach(_)) => {
                let from = self.residents[call.parties[0]].user.clone();
                self.tell(line, event(&id, &call.conversation, call_event::Kind::Snapshot(call.snapshot(side, &from))));
            }
            _ if !call.is_live() => self.refuse(line, Code::CallNotLive, &id, &call.conversation),
            Some(call_command::Kind::Ringing(_)) => {
                self.tell_person(other, event(&id, &call.conversation, call_event::Kind::Ringing(CallRingingAt { device })));
            }
            Some(call_command::Kind::Accept(_)) if side == 0 => self.refuse(line, Code::CallWrongParty, &id, &call.conversation),
            Some(call_command::Kind::Accept(_)) if answered => self.refuse(line, Code::CallNotRinging, &id, &call.conversation),
            Some(call_command::Kind::Accept(_)) => self.accept(&id, call, device),
            Some(call_command::Kind::Reject(reject)) => {
                let reason = if reject.reason == "busy" { CallEndReason::Busy } else { CallEndReason::Rejected };
                self.end(&id, reason, Some(person));
            }
            Some(call_command::Kind::Cancel(_)) if side == 1 => self.refuse(line, Code::CallWrongParty, &id, &call.conversation),
            Some(call_command::Kind::Cancel(_)) if answered => self.refuse(line, Code::CallNotRinging, &id, &call.conversation),
            Some(call_command::Kind::Cancel(_)) => self.end(&id, CallEndReason::Cancelled, Some(person)),
            _ if !answered => self.refuse(line, Code::CallNotAnswered, &id, &call.conversation),
            Some(call_command::Kind::HangUp(_)) => self.end(&id, CallEndReason::HungUp, Some(person)),
            Some(call_command::Kind::Signal(signal)) => {
                self.tell_device(
                    other,
                    call.devices[1 - side].as_deref(),
                    event(&id, &call.conversation, call_event::Kind::Signal(signal)),
                );
            }
            Some(call_command::Kind::Connection(report)) => {
                call.connected[side] = report.state() == call_connection::State::Connected;
                self.reported(&id, call, other, &report);
            }
            Some(call_command::Kind::IceRequest(_)) => {
                self.tell(line, event(&id, &call.conversation, call_event::Kind::Ice(CallIce::default())));
            }
            Some(call_command::Kind::MediaChange(change)) => {
                let changed = CallMediaChanged { media: change.media, by: self.residents[person].user.clone() };
                for party in call.parties {
                    self.tell_person(party, event(&id, &call.conversation, call_event::Kind::MediaChanged(changed.clone())));
                }
            }
            Some(call_command::Kind::Invite(_)) | None => self.refuse(line, Code::UnknownCommand, &id, &call.conversation),
        }
    }

    fn invite(&mut self, line: u64, person: usize, id: String, conversation: &str, media: i32) {
        if let Some(call) = self.calls.get(&id) {
            let from = self.residents[call.parties[0]].user.clone();
            return self.tell(line, event(&id, &call.conversation, call_event::Kind::Snapshot(call.snapshot(0, &from))));
        }
        let callee = self.residents[person].peer;
        let Some(known) = self.own(person, conversation) else {
            return self.refuse(line, Code::UnknownConversation, &id, conversation);
        };
        if known.call.is_some() {
            return self.refuse(line, Code::CallInProgress, &id, conversation);
        }
        for (party, code) in [(person, Code::LineBusy), (callee, Code::Busy)] {
            if self.calls.values().any(|call| call.is_live() && call.side(party).is_some()) {
                return self.refuse(line, code, &id, conversation);
            }
        }
        let call = Call {
            conversation: conversation.to_owned(),
            parties: [person, callee],
            devices: [self.lines.get(&line).map(|line| line.device.clone()), None],
            connected: [false; 2],
            media,
            phase: call_snapshot::Phase::Ringing,
            deadline_ms: now_ms() + RING_MS,
            connected_at_ms: None,
        };
        let (from, callee_user) = (self.residents[person].user.clone(), self.residents[callee].user.clone());
        let invited = CallInvited { call: id.clone(), media, callee: callee_user, deadline_ms: call.deadline_ms };
        self.note(conversation, Some(person), body::Kind::CallInvited(invited));
        if let Some(known) = self.conversations.get_mut(conversation) {
            known.call = Some(id.clone());
        }
        self.tell(line, event(&id, conversation, call_event::Kind::Snapshot(call.snapshot(0, &from))));
        self.ring(&id, conversation, callee, from, media, call.deadline_ms);
        self.calls.insert(id, call);
    }

    fn ring(&self, id: &str, conversation: &str, callee: usize, from: String, media: i32, deadline_ms: i64) {
        self.tell_person(callee, event(id, conversation, call_event::Kind::Incoming(CallIncoming { from, media, deadline_ms })));
    }

    fn accept(&mut self, id: &str, mut call: Call, device: String) {
        let [caller, callee] = call.parties;
        call.phase = call_snapshot::Phase::Connecting;
        call.devices[1] = Some(device.clone());
        self.note(&call.conversation, Some(callee), body::Kind::CallAccepted(CallAccepted { call: id.to_owned(), device: device.clone() }));
        let elsewhere =
            event(id, &call.conversation, call_event::Kind::Elsewhere(CallElsewhere { device: device.clone(), accepted: true }));
        let others: Vec<String> = self.lines_of(callee).filter(|line| line.device != device).map(|line| line.device.clone()).collect();
        for other in others {
            self.tell_device(callee, Some(&other), elsewhere.clone());
        }
        for (side, party) in [caller, callee].into_iter().enumerate() {
            let started = CallStarted { device: device.clone(), polite: side == 1, ice: Some(CallIce::default()), media: call.media };
            self.tell_device(party, call.devices[side].as_deref(), event(id, &call.conversation, call_event::Kind::Started(started)));
        }
        self.calls.insert(id.to_owned(), call);
    }

    fn reported(&mut self, id: &str, mut call: Call, other: usize, report: &CallConnection) {
        if call.connected == [true; 2] {
            call.phase = call_snapshot::Phase::Active;
            call.connected_at_ms.get_or_insert(now_ms());
        }
        self.tell_person(
            other,
            event(id, &call.conversation, call_event::Kind::PeerConnection(CallPeerConnection { state: report.state })),
        );
        self.calls.insert(id.to_owned(), call);
    }

    fn end(&mut self, id: &str, reason: CallEndReason, by: Option<usize>) {
        let Some(call) = self.calls.get_mut(id).filter(|call| call.is_live()) else { return };
        call.phase = call_snapshot::Phase::Ended;
        let call = call.clone();
        let connected_ms = call.connected_at_ms.map_or(0, |at| u32::try_from(now_ms() - at).unwrap_or(0));
        let user = by.map(|person| self.residents[person].user.clone()).unwrap_or_default();
        let ended = CallEnded { call: id.to_owned(), reason: reason.into(), connected_ms, gaps: 0, by: user.clone(), media: call.media };
        self.note(&call.conversation, by, body::Kind::CallEnded(ended));
        if let Some(known) = self.conversations.get_mut(&call.conversation) {
            known.call = None;
        }
        for party in call.parties {
            let over = CallOver { reason: reason.into(), connected_ms, by: user.clone() };
            self.tell_person(party, event(id, &call.conversation, call_event::Kind::Over(over)));
        }
        let [caller, callee] = call.parties;
        if self.liar.strikes(Lie::GhostCall, self.is_here(callee)) {
            let (ghost, from) = (self.id(), self.residents[caller].user.clone());
            self.ring(&ghost, &call.conversation, callee, from, call.media, now_ms() + RING_MS);
        }
    }

    /// Rings whose time is up.
    pub fn sweep(&mut self) {
        let now = now_ms();
        let late = |call: &Call| call.phase == call_snapshot::Phase::Ringing && call.deadline_ms <= now;
        let late: Vec<String> = self.calls.iter().filter(|(_, call)| late(call)).map(|(id, _)| id.clone()).collect();
        for id in late {
            self.end(&id, CallEndReason::NoAnswer, None);
        }
    }

    fn note(&mut self, conversation: &str, by: Option<usize>, kind: body::Kind) {
        let (sender, role) = by.map(|person| (self.residents[person].user.clone(), self.residents[person].role)).unwrap_or_default();
        let id = self.id();
        self.record(conversation, Draft { id, sender, role, body: Body { kind: Some(kind) } });
    }

    fn tell_device(&self, person: usize, device: Option<&str>, event: CallEvent) {
        for line in self.lines_of(person).filter(|line| device.is_none_or(|device| line.device == device)) {
            let _ = line.out.send(super::world::Out::Event(event.clone().into()));
        }
    }
}

fn event(call: &str, conversation: &str, kind: call_event::Kind) -> CallEvent {
    CallEvent { call: call.to_owned(), conversation: conversation.to_owned(), kind: Some(kind) }
}
