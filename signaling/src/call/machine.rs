//! The transitions. Each is one short function; `handle` is the only way in, `next_deadline` says when to tick.
//!
//! Surprising: a timer proposes its end and stays in its phase until the log answered; `ask_again_at` keeps it from asking twice
//! at once and makes it ask again when the log could not be reached.

use super::{Ended, Fact, Input, Link, Meter, Output, Party, Phase, Proposal, Report, Side, Speaker, To, Wish};
use crate::{error::CallError, timing};
use chat::ids::{CallId, ConversationId, DeviceId, Timestamp, UserId};
use chat::log::head::{LiveCall, LiveCallPhase};
use chat::wire::{self, CallEndReason, CallMedia, call_advice::Action, call_event::Kind};

const ASK_AGAIN_MS: i64 = 1_000;
/// Devices of the callee that are announced to the inviter.
const RINGING_DEVICES_MAX: usize = 10;

#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub id: CallId,
    pub conversation: ConversationId,
    inviter: Party,
    callee: Party,
    media: CallMedia,
    phase: Phase,
    meter: Meter,
    links: [Link; 2],
    lossy: [u8; 2],
    video_drop_advised: bool,
    restart_advised_at: Option<Timestamp>,
    ringing_devices: Vec<DeviceId>,
    ask_again_at: Option<Timestamp>,
}

impl Call {
    /// The first output proposes `invited` to the log.
    pub fn invite(
        now: Timestamp,
        id: CallId,
        conversation: ConversationId,
        inviter: (UserId, DeviceId),
        callee: UserId,
        media: CallMedia,
    ) -> (Self, Vec<Output>) {
        let deadline = now.plus_ms(timing::RING_MS);
        let inviter = Party { user: inviter.0, device: Some(inviter.1) };
        let callee = Party { user: callee, device: None };
        let call = Self::new(id, conversation, inviter, callee, media, Phase::Inviting { deadline, cancelled: false });
        let asked_by = inviter.device.map(|device| Speaker { side: Side::Inviter, device });
        (call, vec![Output::Propose(Proposal { fact: Fact::Invited { deadline }, asked_by })])
    }

    /// A live call found in the log: its devices are unknown until they attach, and an answered one has a minute to come back.
    pub fn restore(now: Timestamp, conversation: ConversationId, live: &LiveCall) -> Self {
        let phase = match live.phase {
            LiveCallPhase::Ringing => Phase::Ringing { deadline: live.deadline },
            LiveCallPhase::Accepted => Phase::Reconnecting { deadline: now.plus_ms(timing::RECONNECT_MS) },
        };
        let party = |user| Party { user, device: None };
        let mut call = Self::new(live.call, conversation, party(live.inviter), party(live.callee), live.media, phase);
        if phase.is_answered() {
            call.meter = Meter::after_restart();
        }
        call
    }

    fn new(id: CallId, conversation: ConversationId, inviter: Party, callee: Party, media: CallMedia, phase: Phase) -> Self {
        Self {
            id,
            conversation,
            inviter,
            callee,
            media,
            phase,
            meter: Meter::default(),
            links: [Link::New; 2],
            lossy: [0; 2],
            video_drop_advised: false,
            restart_advised_at: None,
            ringing_devices: Vec::new(),
            ask_again_at: None,
        }
    }

    pub fn phase(&self) -> Phase {
        self.phase
    }

    pub fn media(&self) -> CallMedia {
        self.media
    }

    pub fn party(&self, side: Side) -> Party {
        match side {
            Side::Inviter => self.inviter,
            Side::Callee => self.callee,
        }
    }

    pub fn side_of(&self, user: UserId) -> Option<Side> {
        Side::BOTH.into_iter().find(|side| self.party(*side).user == user)
    }

    /// When `Input::Tick` has something to do; none for a call that is over.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let deadline = match self.phase {
            Phase::Inviting { deadline, .. } | Phase::Ringing { deadline } => Some(deadline),
            Phase::Connecting { deadline, .. } | Phase::Reconnecting { deadline } => Some(deadline),
            Phase::Active { lonely_since } => lonely_since.map(|since| since.plus_ms(timing::RECONNECT_MS)),
            Phase::Ended(_) => None,
        }?;
        Some(self.ask_again_at.map_or(deadline, |again| again.max(deadline)))
    }

    pub fn handle(&mut self, now: Timestamp, input: Input) -> Vec<Output> {
        match input {
            Input::Wish { from, wish } => self.wish(now, from, wish),
            Input::Recorded(proposal) => self.recorded(now, &proposal),
            Input::Refused(proposal, error) => self.refused(proposal, error),
            Input::ConversationClosed => self.propose_end(now, CallEndReason::Closed, None),
            Input::Sockets { any } => self.sockets(now, any),
            Input::Tick => self.tick(now),
        }
    }

    fn wish(&mut self, now: Timestamp, from: Speaker, wish: Wish) -> Vec<Output> {
        match (self.phase, wish) {
            (_, Wish::Attach { media_kept }) => self.attach(now, from, media_kept),
            (Phase::Ended(_), _) => answer(from, CallError::Over),
            (Phase::Inviting { .. }, wish) => self.wish_while_inviting(from, &wish),
            (Phase::Ringing { .. }, wish) => self.wish_while_ringing(now, from, &wish),
            (_, wish) => self.wish_while_answered(now, from, wish),
        }
    }

    fn wish_while_inviting(&mut self, from: Speaker, wish: &Wish) -> Vec<Output> {
        match (&mut self.phase, wish) {
            (Phase::Inviting { cancelled, .. }, Wish::Cancel | Wish::HangUp) if from.side == Side::Inviter => {
                *cancelled = true;
                Vec::new()
            }
            _ => answer(from, CallError::NotRinging),
        }
    }

    fn wish_while_ringing(&mut self, now: Timestamp, from: Speaker, wish: &Wish) -> Vec<Output> {
        match (from.side, wish) {
            (Side::Callee, Wish::Ringing) => self.announce_ringing(from.device),
            (Side::Callee, Wish::Accept) => {
                vec![Output::Propose(Proposal { fact: Fact::Accepted { device: from.device }, asked_by: Some(from) })]
            }
            (Side::Callee, Wish::Reject { busy: true }) => self.propose_end(now, CallEndReason::Busy, Some(from)),
            (Side::Callee, Wish::Reject { busy: false } | Wish::HangUp) => self.propose_end(now, CallEndReason::Rejected, Some(from)),
            (Side::Inviter, Wish::Cancel | Wish::HangUp) => self.propose_end(now, CallEndReason::Cancelled, Some(from)),
            (Side::Callee, Wish::Cancel) | (Side::Inviter, Wish::Ringing | Wish::Accept | Wish::Reject { .. }) => {
                answer(from, CallError::WrongParty)
            }
            _ => answer(from, CallError::NotAnswered),
        }
    }

    fn wish_while_answered(&mut self, now: Timestamp, from: Speaker, wish: Wish) -> Vec<Output> {
        let seated = self.party(from.side).device == Some(from.device);
        match wish {
            // A repeat of what won is told again; everything else about ringing came too late.
            Wish::Accept if seated && from.side == Side::Callee => vec![self.started(To::Device(from.side, from.device), from.side)],
            Wish::Ringing | Wish::Accept | Wish::Reject { .. } | Wish::Cancel => answer(from, CallError::NotRinging),
            Wish::HangUp => self.propose_end(now, CallEndReason::HungUp, Some(from)),
            _ if !seated => answer(from, CallError::OtherDevice),
            Wish::Signal(signal) => vec![Output::Tell(To::Seat(from.side.other()), Kind::Signal(signal.into_wire()))],
            Wish::Report(report) => self.report(now, from.side, report),
            Wish::Ice => vec![Output::Tell(To::Device(from.side, from.device), Kind::Ice(wire::CallIce::default()))],
            Wish::ChangeMedia(media) => self.change_media(from, media),
            Wish::Attach { .. } => Vec::new(), // handled before the phases part
        }
    }

    fn announce_ringing(&mut self, device: DeviceId) -> Vec<Output> {
        if self.ringing_devices.contains(&device) || self.ringing_devices.len() >= RINGING_DEVICES_MAX {
            return Vec::new();
        }
        self.ringing_devices.push(device);
        vec![Output::Tell(To::Seat(Side::Inviter), Kind::Ringing(wire::CallRingingAt { device: device.to_string() }))]
    }

    /// Upwards needs the other person's consent: that is another call.
    fn change_media(&mut self, from: Speaker, media: CallMedia) -> Vec<Output> {
        if media != CallMedia::Voice {
            return answer(from, CallError::MediaNotAllowed);
        }
        self.media = media;
        let changed = wire::CallMediaChanged { media: media.into(), by: self.party(from.side).user.to_string() };
        Side::BOTH.map(|side| Output::Tell(To::Seat(side), Kind::MediaChanged(changed.clone()))).into()
    }

    fn attach(&mut self, now: Timestamp, from: Speaker, media_kept: bool) -> Vec<Output> {
        let mut out = Vec::new();
        let answered = self.phase.is_answered();
        let before = self.party(from.side).device;
        if answered || (from.side == Side::Inviter && !self.phase.is_ended()) {
            self.seat(from);
        }
        if answered && let Some(before) = before.filter(|device| *device != from.device) {
            let elsewhere = wire::CallElsewhere { device: from.device.to_string(), accepted: true };
            out.push(Output::Tell(To::Device(from.side, before), Kind::Elsewhere(elsewhere)));
        }
        let kept = media_kept && before.is_none_or(|device| device == from.device);
        if answered && !kept {
            self.begin_anew(now);
            out.push(self.started(To::Seat(from.side.other()), from.side.other()));
        }
        out.push(self.snapshot(To::Device(from.side, from.device), from.side));
        out
    }

    fn seat(&mut self, from: Speaker) {
        match from.side {
            Side::Inviter => self.inviter.device = Some(from.device),
            Side::Callee => self.callee.device = Some(from.device),
        }
    }

    /// One side lost its peer connection, so neither has one: both negotiate again.
    fn begin_anew(&mut self, now: Timestamp) {
        self.links = [Link::New; 2];
        self.settle(now);
        if let Phase::Connecting { deadline, at_most } = &mut self.phase {
            *deadline = now.plus_ms(timing::CONNECT_MS).min(*at_most).max(*deadline);
        }
    }

    fn report(&mut self, now: Timestamp, side: Side, report: Report) -> Vec<Output> {
        let mut out = Vec::new();
        let place = side as usize;
        if self.links[place] != report.link {
            self.links[place] = report.link;
            let peer = wire::CallPeerConnection { state: on_wire(report.link).into() };
            out.push(Output::Tell(To::Seat(side.other()), Kind::PeerConnection(peer)));
        }
        self.settle(now);
        out.extend(self.advise_restart(now, report.link));
        out.extend(self.advise_drop_video(place, report.loss_permille));
        out
    }

    /// Connected is what both sides say; one that lost it makes the call reconnect.
    fn settle(&mut self, now: Timestamp) {
        let both = self.links.iter().all(|link| *link == Link::Connected);
        match self.phase {
            Phase::Connecting { .. } | Phase::Reconnecting { .. } if both => {
                self.meter.connect(now);
                self.phase = Phase::Active { lonely_since: None };
            }
            Phase::Active { .. } if !both => {
                self.meter.interrupt(now);
                self.phase = Phase::Reconnecting { deadline: now.plus_ms(timing::RECONNECT_MS) };
            }
            _ => {}
        }
    }

    /// The impolite side offers, so it restarts.
    fn advise_restart(&mut self, now: Timestamp, link: Link) -> Option<Output> {
        let broken = matches!(link, Link::Reconnecting | Link::Failed);
        let recently = self.restart_advised_at.is_some_and(|at| now.since_ms(at) < timing::RESTART_ADVICE_EVERY_MS);
        if !broken || recently {
            return None;
        }
        self.restart_advised_at = Some(now);
        let advice = wire::CallAdvice { action: Action::IceRestart.into() };
        Some(Output::Tell(To::Seat(Side::Inviter), Kind::Advice(advice)))
    }

    fn advise_drop_video(&mut self, place: usize, loss_permille: u32) -> Vec<Output> {
        self.lossy[place] = if loss_permille >= timing::LOSSY_PERMILLE { self.lossy[place].saturating_add(1) } else { 0 };
        if self.video_drop_advised || self.media != CallMedia::Video || self.lossy[place] < timing::LOSSY_REPORTS {
            return Vec::new();
        }
        self.video_drop_advised = true;
        let advice = wire::CallAdvice { action: Action::DropVideo.into() };
        Side::BOTH.map(|side| Output::Tell(To::Seat(side), Kind::Advice(advice))).into()
    }

    fn sockets(&mut self, now: Timestamp, any: bool) -> Vec<Output> {
        if let Phase::Active { lonely_since } = &mut self.phase {
            *lonely_since = if any { None } else { Some(lonely_since.unwrap_or(now)) };
        }
        Vec::new()
    }

    fn tick(&mut self, now: Timestamp) -> Vec<Output> {
        if self.next_deadline().is_none_or(|deadline| now < deadline) {
            return Vec::new();
        }
        let reason = match self.phase {
            // The log has not answered the invitation: nothing to end yet.
            Phase::Inviting { .. } => {
                self.ask_again_at = Some(now.plus_ms(ASK_AGAIN_MS));
                return Vec::new();
            }
            Phase::Ringing { .. } => CallEndReason::NoAnswer,
            _ => CallEndReason::Failed,
        };
        self.propose_end(now, reason, None)
    }

    fn propose_end(&mut self, now: Timestamp, reason: CallEndReason, by: Option<Speaker>) -> Vec<Output> {
        if self.phase.is_ended() || matches!(self.phase, Phase::Inviting { .. }) {
            return Vec::new();
        }
        self.ask_again_at = Some(now.plus_ms(ASK_AGAIN_MS));
        let until = match self.phase {
            Phase::Active { lonely_since: Some(since) } => since,
            _ => now,
        };
        let ended = Ended {
            reason,
            connected_ms: self.meter.connected_ms(until),
            gaps: self.meter.gaps(),
            by: by.map(|by| by.side),
            media: self.media,
        };
        vec![Output::Propose(Proposal { fact: Fact::Ended(ended), asked_by: by })]
    }

    fn recorded(&mut self, now: Timestamp, proposal: &Proposal) -> Vec<Output> {
        match (&proposal.fact, self.phase) {
            (_, Phase::Ended(_)) => Vec::new(),
            (Fact::Invited { deadline }, Phase::Inviting { cancelled, .. }) => self.ring(now, *deadline, cancelled),
            (Fact::Accepted { device }, Phase::Ringing { .. }) => self.answered(now, *device),
            (Fact::Ended(ended), _) => self.over(now, ended),
            (Fact::Invited { .. } | Fact::Accepted { .. }, _) => Vec::new(),
        }
    }

    fn ring(&mut self, now: Timestamp, deadline: Timestamp, cancelled: bool) -> Vec<Output> {
        self.phase = Phase::Ringing { deadline };
        self.ask_again_at = None;
        if cancelled {
            let by = self.inviter.device.map(|device| Speaker { side: Side::Inviter, device });
            return self.propose_end(now, CallEndReason::Cancelled, by);
        }
        vec![Output::Tell(To::AllDevices(Side::Callee), self.incoming(deadline)), self.snapshot(To::Seat(Side::Inviter), Side::Inviter)]
    }

    /// For the loser of two invites: what rings at him now.
    pub fn incoming_for(&self, side: Side) -> Option<Kind> {
        match (self.phase, side) {
            (Phase::Ringing { deadline }, Side::Callee) => Some(self.incoming(deadline)),
            _ => None,
        }
    }

    fn incoming(&self, deadline: Timestamp) -> Kind {
        Kind::Incoming(wire::CallIncoming { from: self.inviter.user.to_string(), media: self.media.into(), deadline_ms: deadline.0 })
    }

    fn answered(&mut self, now: Timestamp, device: DeviceId) -> Vec<Output> {
        self.callee.device = Some(device);
        self.ask_again_at = None;
        self.phase = Phase::Connecting { deadline: now.plus_ms(timing::CONNECT_MS), at_most: now.plus_ms(timing::CONNECT_TOTAL_MS) };
        let elsewhere = wire::CallElsewhere { device: device.to_string(), accepted: true };
        vec![
            Output::Tell(To::OtherDevices(Side::Callee, device), Kind::Elsewhere(elsewhere)),
            self.started(To::Seat(Side::Inviter), Side::Inviter),
            self.started(To::Seat(Side::Callee), Side::Callee),
        ]
    }

    fn over(&mut self, now: Timestamp, ended: &Ended) -> Vec<Output> {
        self.meter.stop(now);
        self.phase = Phase::Ended(ended.reason);
        let by = ended.by.map(|side| self.party(side).user.to_string()).unwrap_or_default();
        let over = wire::CallOver { reason: ended.reason.into(), connected_ms: ended.connected_ms, by };
        Side::BOTH.map(|side| Output::Tell(To::AllDevices(side), Kind::Over(over.clone()))).into()
    }

    fn refused(&mut self, proposal: Proposal, error: CallError) -> Vec<Output> {
        if let (Fact::Invited { .. }, Phase::Inviting { .. }) = (&proposal.fact, self.phase) {
            self.phase = Phase::Ended(CallEndReason::Unspecified); // never was: nothing rang, nothing is recorded
        }
        proposal.asked_by.map(|from| answer(from, error)).unwrap_or_default()
    }

    fn started(&self, to: To, side: Side) -> Output {
        let device = self.callee.device.map(|device| device.to_string()).unwrap_or_default();
        Output::Tell(to, Kind::Started(wire::CallStarted { device, polite: side.is_polite(), ice: None, media: self.media.into() }))
    }

    fn snapshot(&self, to: To, side: Side) -> Output {
        let snapshot = wire::CallSnapshot {
            phase: self.phase.on_wire().into(),
            polite: side.is_polite(),
            media: self.media.into(),
            deadline_ms: self.next_deadline().map_or(0, |deadline| deadline.0),
            ice: None,
            from: self.inviter.user.to_string(),
        };
        Output::Tell(to, Kind::Snapshot(snapshot))
    }
}

fn answer(from: Speaker, error: CallError) -> Vec<Output> {
    vec![Output::Answer(from, error)]
}

fn on_wire(link: Link) -> wire::call_connection::State {
    match link {
        Link::New => wire::call_connection::State::Unspecified,
        Link::Connected => wire::call_connection::State::Connected,
        Link::Reconnecting => wire::call_connection::State::Reconnecting,
        Link::Failed => wire::call_connection::State::Failed,
    }
}
