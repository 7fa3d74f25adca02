//! The machine by hand: one whole call, every phase against every wish, timers, reloads, advice.

use super::*;
use crate::signal::{self, CandidatePolicy};
use crate::timing::{CONNECT_MS, LOSSY_PERMILLE, RECONNECT_MS, RING_MS};
use chat::entropy::Entropy;
use chat::ids::{CallId, ConversationId};
use chat::wire::call_event::Kind;

pub(super) struct Scene {
    pub call: Call,
    pub now: Timestamp,
    pub inviter: Speaker,
    pub callee: Speaker,
    pub second: Speaker,
}

pub(super) const START: Timestamp = Timestamp(1_000_000);

pub(super) fn candidate() -> Checked {
    let candidate = wire::IceCandidate { candidate: "candidate:1 1 udp 1 10.0.0.1 1 typ host".into(), ..Default::default() };
    let signal = wire::CallSignal { kind: Some(wire::call_signal::Kind::Candidate(candidate)) };
    signal::check(signal, &CandidatePolicy::default()).unwrap().unwrap()
}

impl Scene {
    pub fn inviting() -> (Self, Vec<Output>) {
        let entropy = Entropy::seeded(1);
        let device = || entropy.id::<DeviceId>(START);
        let inviter = Speaker { side: Side::Inviter, device: device() };
        let callee = Speaker { side: Side::Callee, device: device() };
        let second = Speaker { side: Side::Callee, device: device() };
        let users: [UserId; 2] = [entropy.id(START), entropy.id(START)];
        let call: CallId = entropy.id(START);
        let conversation: ConversationId = entropy.id(START);
        let (call, out) = Call::invite(START, call, conversation, (users[0], inviter.device), users[1], CallMedia::Video);
        (Self { call, now: START, inviter, callee, second }, out)
    }

    pub fn ringing() -> Self {
        let (mut scene, out) = Self::inviting();
        scene.record_all(out);
        scene
    }

    pub fn connecting() -> Self {
        let mut scene = Self::ringing();
        let out = scene.wish(scene.callee, Wish::Accept);
        scene.record_all(out);
        scene
    }

    pub fn active() -> Self {
        let mut scene = Self::connecting();
        scene.reports(Link::Connected, Link::Connected);
        scene
    }

    pub fn ended() -> Self {
        let mut scene = Self::active();
        let out = scene.wish(scene.inviter, Wish::HangUp);
        scene.record_all(out);
        scene
    }

    pub fn wish(&mut self, from: Speaker, wish: Wish) -> Vec<Output> {
        self.call.handle(self.now, Input::Wish { from, wish })
    }

    pub fn reports(&mut self, inviter: Link, callee: Link) {
        self.wish(self.inviter, Wish::Report(Report { link: inviter, loss_permille: 0 }));
        self.wish(self.callee, Wish::Report(Report { link: callee, loss_permille: 0 }));
    }

    /// The log agrees with everything.
    pub fn record_all(&mut self, out: Vec<Output>) -> Vec<Output> {
        let mut told = Vec::new();
        for output in out {
            match output {
                Output::Propose(proposal) => {
                    let more = self.call.handle(self.now, Input::Recorded(proposal));
                    told.extend(self.record_all(more));
                }
                other => told.push(other),
            }
        }
        told
    }

    pub fn pass(&mut self, ms: i64) -> Vec<Output> {
        self.now = self.now.plus_ms(ms);
        let out = self.call.handle(self.now, Input::Tick);
        self.record_all(out)
    }
}

fn over(told: &[Output]) -> Option<(CallEndReason, u32)> {
    told.iter().find_map(|output| match output {
        Output::Tell(_, Kind::Over(over)) => Some((over.reason(), over.connected_ms)),
        _ => None,
    })
}

#[test]
fn con_21_a_whole_call_rings_everywhere_connects_and_counts_its_time() {
    let (mut scene, out) = Scene::inviting();
    let told = scene.record_all(out);
    assert!(matches!(told[0], Output::Tell(To::AllDevices(Side::Callee), Kind::Incoming(_))));
    let told = scene.wish(scene.callee, Wish::Ringing);
    assert!(matches!(told[..], [Output::Tell(To::Seat(Side::Inviter), Kind::Ringing(_))]));
    assert!(scene.wish(scene.callee, Wish::Ringing).is_empty(), "each device is announced once");
    let out = scene.wish(scene.callee, Wish::Accept);
    let told = scene.record_all(out);
    assert!(matches!(&told[0], Output::Tell(To::OtherDevices(Side::Callee, _), Kind::Elsewhere(at)) if at.accepted));
    assert!(matches!(&told[1], Output::Tell(To::Seat(Side::Inviter), Kind::Started(started)) if !started.polite));
    assert!(matches!(&told[2], Output::Tell(To::Seat(Side::Callee), Kind::Started(started)) if started.polite));
    scene.reports(Link::Connected, Link::Connected);
    scene.now = scene.now.plus_ms(4_000);
    scene.reports(Link::Reconnecting, Link::Connected);
    scene.now = scene.now.plus_ms(9_000);
    scene.reports(Link::Connected, Link::Connected);
    scene.now = scene.now.plus_ms(1_000);
    let out = scene.wish(scene.callee, Wish::HangUp);
    let told = scene.record_all(out);
    assert_eq!(over(&told), Some((CallEndReason::HungUp, 5_000)), "reconnecting does not count");
    assert_eq!(scene.call.phase(), Phase::Ended(CallEndReason::HungUp));
}

#[test]
fn each_phase_ends_by_its_timer_and_not_before() {
    let cases = [
        (Scene::ringing(), RING_MS, CallEndReason::NoAnswer),
        (Scene::connecting(), CONNECT_MS, CallEndReason::Failed),
        (
            {
                let mut scene = Scene::active();
                scene.reports(Link::Failed, Link::Connected);
                scene
            },
            RECONNECT_MS,
            CallEndReason::Failed,
        ),
    ];
    for (mut scene, after_ms, reason) in cases {
        assert_eq!(over(&scene.pass(after_ms - 1)), None);
        assert_eq!(over(&scene.pass(1)).map(|over| over.0), Some(reason));
        assert_eq!(scene.call.next_deadline(), None);
    }
}

#[test]
fn an_active_call_has_no_timer_until_both_people_are_gone() {
    let mut scene = Scene::active();
    assert_eq!(scene.call.next_deadline(), None);
    scene.now = scene.now.plus_ms(3_600_000);
    scene.call.handle(scene.now, Input::Sockets { any: false });
    scene.pass(RECONNECT_MS - 1);
    scene.call.handle(scene.now, Input::Sockets { any: true });
    assert_eq!(scene.call.next_deadline(), None, "one of them came back");
    scene.call.handle(scene.now, Input::Sockets { any: false });
    let told = scene.pass(RECONNECT_MS);
    assert_eq!(over(&told), Some((CallEndReason::Failed, 3_600_000 + RECONNECT_MS as u32 - 1)), "what nobody saw is not claimed");
}

#[test]
fn a_log_that_cannot_be_reached_is_asked_again() {
    let mut scene = Scene::ringing();
    scene.now = scene.now.plus_ms(RING_MS);
    let first = scene.call.handle(scene.now, Input::Tick);
    assert!(matches!(first[..], [Output::Propose(_)]));
    assert!(scene.call.handle(scene.now, Input::Tick).is_empty(), "not twice at once");
    let again = scene.call.next_deadline().unwrap();
    assert!(again > scene.now);
    assert_eq!(scene.call.handle(again, Input::Tick).len(), 1);
}

#[test]
fn a_cancel_before_the_invitation_is_recorded_waits_for_it() {
    let (mut scene, out) = Scene::inviting();
    assert!(scene.wish(scene.inviter, Wish::Cancel).is_empty());
    let told = scene.record_all(out);
    assert_eq!(over(&told).map(|over| over.0), Some(CallEndReason::Cancelled));
    assert!(!told.iter().any(|output| matches!(output, Output::Tell(_, Kind::Incoming(_)))), "it never rang");
}

#[test]
fn a_refused_proposal_answers_the_one_who_asked_and_changes_nothing() {
    let mut scene = Scene::ringing();
    let before = scene.call.clone();
    let Some(Output::Propose(proposal)) = scene.wish(scene.callee, Wish::Accept).pop() else { panic!("no proposal") };
    let out = scene.call.handle(scene.now, Input::Refused(proposal, CallError::LineBusy));
    assert_eq!(out, [Output::Answer(scene.callee, CallError::LineBusy)]);
    assert_eq!(scene.call, before);
}

#[test]
fn k3_signals_go_to_the_other_seat_and_only_between_seats() {
    let mut scene = Scene::active();
    let told = scene.wish(scene.inviter, Wish::Signal(candidate()));
    assert!(matches!(told[..], [Output::Tell(To::Seat(Side::Callee), Kind::Signal(_))]));
    assert_eq!(scene.wish(scene.second, Wish::Signal(candidate())), [Output::Answer(scene.second, CallError::OtherDevice)]);
    let mut scene = Scene::ringing();
    assert_eq!(scene.wish(scene.inviter, Wish::Signal(candidate())), [Output::Answer(scene.inviter, CallError::NotAnswered)]);
    let mut scene = Scene::ended();
    assert_eq!(scene.wish(scene.inviter, Wish::Signal(candidate())), [Output::Answer(scene.inviter, CallError::Over)]);
}

#[test]
fn a_reload_makes_both_sides_begin_anew_and_a_lost_socket_does_not() {
    let mut scene = Scene::active();
    let told = scene.wish(scene.callee, Wish::Attach { media_kept: true });
    assert!(matches!(&told[..], [Output::Tell(To::Device(Side::Callee, _), Kind::Snapshot(at))] if at.phase == 3 && at.polite));
    let told = scene.wish(scene.callee, Wish::Attach { media_kept: false });
    assert!(matches!(&told[0], Output::Tell(To::Seat(Side::Inviter), Kind::Started(started)) if !started.polite));
    assert!(matches!(&told[1], Output::Tell(To::Device(Side::Callee, _), Kind::Snapshot(at)) if at.phase == 4));
    scene.reports(Link::Connected, Link::Connected);
    assert!(matches!(scene.call.phase(), Phase::Active { .. }));
}

#[test]
fn another_device_takes_the_call_over_and_the_first_one_hears_of_it() {
    let mut scene = Scene::active();
    let told = scene.wish(scene.second, Wish::Attach { media_kept: true });
    assert!(matches!(&told[0], Output::Tell(To::Device(Side::Callee, device), Kind::Elsewhere(_)) if *device == scene.callee.device));
    assert!(matches!(told[1], Output::Tell(To::Seat(Side::Inviter), Kind::Started(_))), "a new device has no peer connection");
    assert_eq!(scene.wish(scene.callee, Wish::Signal(candidate())), [Output::Answer(scene.callee, CallError::OtherDevice)]);
}

#[test]
fn reloading_again_and_again_does_not_connect_for_ever() {
    let mut scene = Scene::connecting();
    for _ in 0..100 {
        scene.now = scene.now.plus_ms(1_000);
        scene.wish(scene.inviter, Wish::Attach { media_kept: false });
    }
    assert_eq!(scene.call.next_deadline(), Some(START.plus_ms(crate::timing::CONNECT_TOTAL_MS)));
}

#[test]
fn a_broken_link_is_advised_to_restart_and_a_lossy_one_to_drop_video() {
    let mut scene = Scene::active();
    let broken = Wish::Report(Report { link: Link::Reconnecting, loss_permille: 0 });
    let advice = |out: &[Output]| out.iter().filter(|output| matches!(output, Output::Tell(To::Seat(_), Kind::Advice(_)))).count();
    let callee = scene.callee;
    assert_eq!(advice(&scene.wish(callee, broken.clone())), 1);
    assert_eq!(advice(&scene.wish(callee, broken.clone())), 0, "not twice in five seconds");
    scene.now = scene.now.plus_ms(5_000);
    assert_eq!(advice(&scene.wish(callee, broken)), 1);
    let lossy = Wish::Report(Report { link: Link::Connected, loss_permille: LOSSY_PERMILLE });
    let counts: Vec<_> = (0..5).map(|_| advice(&scene.wish(callee, lossy.clone()))).collect();
    assert_eq!(counts, [0, 0, 2, 0, 0], "after three bad reports, once, to both");
}

#[test]
fn video_falls_back_to_voice_inside_the_call_and_not_the_other_way() {
    let mut scene = Scene::active();
    let told = scene.wish(scene.callee, Wish::ChangeMedia(CallMedia::Voice));
    assert_eq!(told.iter().filter(|output| matches!(output, Output::Tell(_, Kind::MediaChanged(_)))).count(), 2);
    assert_eq!(scene.call.media(), CallMedia::Voice);
    let callee = scene.callee;
    assert_eq!(scene.wish(callee, Wish::ChangeMedia(CallMedia::Video)), [Output::Answer(callee, CallError::MediaNotAllowed)]);
}

#[test]
fn a_closed_conversation_ends_its_call() {
    for mut scene in [Scene::ringing(), Scene::connecting(), Scene::active()] {
        let out = scene.call.handle(scene.now, Input::ConversationClosed);
        let told = scene.record_all(out);
        assert_eq!(over(&told).map(|over| over.0), Some(CallEndReason::Closed));
    }
}

#[test]
fn a_restored_call_waits_for_its_devices() {
    let scene = Scene::active();
    let live = chat::log::head::LiveCall {
        call: scene.call.id,
        inviter: scene.call.party(Side::Inviter).user,
        callee: scene.call.party(Side::Callee).user,
        media: CallMedia::Video,
        phase: chat::log::head::LiveCallPhase::Accepted,
        deadline: START,
        invited_seq: 7,
    };
    let mut back = Scene { call: Call::restore(scene.now, scene.call.conversation, &live), ..scene };
    assert_eq!(back.wish(back.inviter, Wish::Signal(candidate())), [Output::Answer(back.inviter, CallError::OtherDevice)]);
    for speaker in [back.inviter, back.callee] {
        let told = back.wish(speaker, Wish::Attach { media_kept: true });
        assert!(matches!(told[..], [Output::Tell(_, Kind::Snapshot(_))]), "media that flowed on is left alone");
    }
    back.reports(Link::Connected, Link::Connected);
    assert!(matches!(back.call.phase(), Phase::Active { .. }));
}

/// What every wish of every speaker leads to in every phase: P proposal, T tells, - nothing, or the error's code.
#[test]
fn every_phase_answers_every_wish() {
    type Make = fn() -> Scene;
    let phases: [(&str, Make); 5] = [
        ("inviting", || Scene::inviting().0),
        ("ringing", Scene::ringing),
        ("connecting", Scene::connecting),
        ("active", Scene::active),
        ("ended", Scene::ended),
    ];
    let wishes: [(&str, Wish); 10] = [
        ("ringing", Wish::Ringing),
        ("accept", Wish::Accept),
        ("reject", Wish::Reject { busy: false }),
        ("cancel", Wish::Cancel),
        ("hang_up", Wish::HangUp),
        ("signal", Wish::Signal(candidate())),
        ("report", Wish::Report(Report { link: Link::Failed, loss_permille: 0 })),
        ("ice", Wish::Ice),
        ("attach", Wish::Attach { media_kept: true }),
        ("voice", Wish::ChangeMedia(CallMedia::Voice)),
    ];
    let mut table = String::new();
    for (phase, scene) in phases {
        for (name, wish) in &wishes {
            let base = scene();
            let cells = [base.inviter, base.callee, base.second].map(|from| {
                let mut scene = scene();
                let before = scene.call.phase();
                let out = scene.wish(from, wish.clone());
                assert_eq!(durable(before), durable(scene.call.phase()), "{phase}/{name}: a wish moved the durable phase");
                outcome(&out)
            });
            table += &format!("{phase}/{name}: {}\n", cells.join(" "));
        }
    }
    assert_eq!(table, include_str!("table.txt"));
}

/// What the log knows of a phase.
fn durable(phase: Phase) -> u8 {
    match phase {
        Phase::Inviting { .. } => 0,
        Phase::Ringing { .. } => 1,
        Phase::Connecting { .. } | Phase::Active { .. } | Phase::Reconnecting { .. } => 2,
        Phase::Ended(_) => 3,
    }
}

fn outcome(out: &[Output]) -> String {
    if out.is_empty() {
        return "-".into();
    }
    let word = |output: &Output| match output {
        Output::Propose(_) => "P".to_owned(),
        Output::Tell(..) => "T".to_owned(),
        Output::Answer(_, error) => error.code().as_str().to_owned(),
    };
    out.iter().map(word).collect::<Vec<_>>().join("+")
}
