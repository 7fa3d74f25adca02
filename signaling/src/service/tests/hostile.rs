//! Strangers, wrong moments and floods (K3): whatever is sent, signals reach only the two devices of the call.

use super::rig::*;
use crate::courier::Address;
use crate::gate::OpenGate;
use crate::service::Limits;
use chat::hub::Caller;
use chat::wire::{self, CallMedia, call_command, call_event};
use std::sync::Arc;

const SEED: u64 = 77;

#[tokio::test]
async fn a_stranger_hears_what_he_would_hear_of_a_call_that_never_was() {
    let rig = Rig::new(SEED);
    let (mut node, pair, call) = (rig.node(), rig.pair().await, rig.call_id());
    node.connect(&pair, call).await;
    let stranger = rig.person();
    let mut answers = Vec::new();
    for call in [call, rig.call_id()] {
        node.say(stranger, call, call_command::Kind::Attach(wire::CallAttach { media_kept: false }));
        let (to, said) = node.next().await;
        assert_eq!(to, Address::Asker(stranger));
        let Said::Error(error) = said else { panic!("{said:?}") };
        answers.push((error.code, error.message, error.conversation));
    }
    assert_eq!(answers[0], answers[1]);
    node.invite(&pair, stranger, rig.call_id(), CallMedia::Voice);
    assert_eq!(node.error().await, "unknown_conversation");
}

#[tokio::test]
async fn malformed_commands_are_answered_and_change_nothing() {
    let rig = Rig::new(SEED);
    let (mut node, pair, call) = (rig.node(), rig.pair().await, rig.call_id());
    node.connect(&pair, call).await;
    let sdp = |text: &str| call_command::Kind::Signal(wire::CallSignal { kind: Some(wire::call_signal::Kind::OfferSdp(text.into())) });
    let cases = [
        (sdp("not sdp"), "call_signal_malformed"),
        (sdp(&"v=0\r\n".repeat(10_000)), "call_signal_malformed"),
        (call_command::Kind::Signal(wire::CallSignal { kind: None }), "call_signal_malformed"),
        (call_command::Kind::Connection(wire::CallConnection::default()), "invalid_field"),
        (call_command::Kind::Reject(wire::CallReject { reason: "x".repeat(33) }), "invalid_field"),
        (call_command::Kind::Accept(wire::CallAccept {}), "call_not_ringing"),
    ];
    for (kind, code) in cases {
        node.say(pair.patient, call, kind);
        assert_eq!(node.error().await, code);
    }
    node.invite(&pair, pair.patient, rig.call_id(), CallMedia::Unspecified);
    assert_eq!(node.error().await, "invalid_field");
}

#[tokio::test]
async fn a_flood_is_refused_with_a_moment_to_come_back() {
    let rig = Rig::new(SEED);
    let (mut node, pair, call) = (rig.node(), rig.pair().await, rig.call_id());
    node.connect(&pair, call).await;
    for _ in 0..200 {
        node.say(pair.patient, call, candidate());
    }
    node.service.tick().await;
    let (mut relayed, mut refused) = (0, 0);
    while relayed + refused < 200 {
        match node.next().await.1 {
            Said::Call(call_event::Kind::Signal(_)) => relayed += 1,
            Said::Error(error) => {
                assert!(error.code == "rate_limited" && error.temporary && error.retry_after_ms > 0);
                refused += 1;
            }
            Said::Call(_) => {}
        }
    }
    assert_eq!((relayed, refused), (120, 80));
}

#[tokio::test]
async fn k3_random_commands_never_carry_a_signal_to_anybody_else() {
    let rig = Rig::new(SEED);
    let generous = Limits { signals_burst: 1_000_000, others_burst: 1_000_000, invites_burst: 1_000_000, ..Limits::default() };
    let mut node = rig.node_with(Arc::new(OpenGate), generous);
    let pair = rig.pair().await;
    let people: Vec<Caller> = vec![pair.patient, pair.doctor, rig.device_of(pair.doctor), rig.device_of(pair.patient), rig.person()];
    let mut calls = vec![rig.call_id()];
    for step in 0..20_000u32 {
        let from = people[rig.entropy.up_to(4) as usize];
        let call = calls[rig.entropy.up_to(calls.len() as u64 - 1) as usize];
        match rig.entropy.up_to(11) {
            0 => node.invite(&pair, from, call, CallMedia::Video),
            1 => node.say(from, call, call_command::Kind::Accept(wire::CallAccept {})),
            2 if step % 7 == 0 => node.say(from, call, call_command::Kind::HangUp(wire::CallHangUp {})),
            3 if step % 11 == 0 => node.say(from, call, call_command::Kind::Cancel(wire::CallCancel {})),
            4 => node.say(from, call, connected()),
            5 => node.say(from, call, call_command::Kind::Attach(wire::CallAttach { media_kept: step % 2 == 0 })),
            6 => node.say(from, call, call_command::Kind::IceRequest(wire::CallIceRequest {})),
            7 => rig.clock.advance_ms(100),
            _ => node.say(from, call, candidate()),
        }
        if step % 64 == 0 {
            node.service.tick().await;
            calls.push(rig.call_id());
            calls.drain(..calls.len().saturating_sub(3));
        }
    }
    node.service.tick().await;
    let stranger = people[4].user;
    let mut signals = 0;
    while let Ok(letter) = node.letters.try_recv() {
        let Some(wire::event::Kind::Call(event)) = letter.event.kind else { continue };
        assert_ne!(user_of(&letter.to), stranger, "seed {SEED}: a stranger heard of a call");
        if let Some(call_event::Kind::Signal(_)) = event.kind {
            signals += 1;
            assert!(matches!(letter.to, Address::Device(user, _) if user == pair.patient.user || user == pair.doctor.user));
        }
    }
    assert!(signals > 0, "seed {SEED}: nothing was relayed, so nothing was tested");
}
