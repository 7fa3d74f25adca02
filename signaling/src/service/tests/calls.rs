//! Whole calls: ringing, answering, being busy, glare, reload, restart, closing.

use super::rig::*;
use crate::courier::Address;
use crate::gate::{CallGate, CallRequest, Step};
use crate::service::Limits;
use crate::timing;
use chat::errors::Code;
use chat::wire::{self, CallEndReason, CallMedia, body::Kind, call_command, call_event};
use std::{future::Future, pin::Pin, sync::Arc};

#[tokio::test]
async fn con_21_rings_on_all_devices_is_answered_on_one_and_leaves_three_entries() {
    let rig = Rig::new(1);
    let (mut node, pair, call) = (rig.node(), rig.pair().await, rig.call_id());
    let second = rig.device_of(pair.doctor);
    node.invite(&pair, pair.patient, call, CallMedia::Video);
    let (to, said) = node.next().await;
    assert_eq!(to, Address::AllDevices(pair.doctor.user));
    assert!(matches!(said, Said::Call(call_event::Kind::Incoming(at)) if at.deadline_ms == START.0 + timing::RING_MS));
    assert_eq!(node.next().await.0, Address::Device(pair.patient.user, pair.patient.device));
    node.say(second, call, call_command::Kind::Ringing(wire::CallRinging {}));
    assert!(matches!(node.next().await.1, Said::Call(call_event::Kind::Ringing(at)) if at.device == second.device.to_string()));
    node.say(pair.doctor, call, call_command::Kind::Accept(wire::CallAccept {}));
    node.say(second, call, call_command::Kind::Accept(wire::CallAccept {}));
    assert_eq!(node.next().await.0, Address::OtherDevices(pair.doctor.user, pair.doctor.device), "the others hear of it");
    for (caller, polite) in [(pair.patient, false), (pair.doctor, true)] {
        let (to, said) = node.next().await;
        assert_eq!(to, Address::Device(caller.user, caller.device));
        let Said::Call(call_event::Kind::Started(started)) = said else { panic!("{said:?}") };
        let ice = started.ice.unwrap();
        assert_eq!((started.polite, ice.expires_at_ms), (polite, START.0 + 600_000));
        assert!(!ice.servers[0].username.contains(&caller.user.to_string()));
    }
    assert_eq!(node.error().await, "call_not_ringing", "the second device came too late");
    node.say(pair.patient, call, candidate());
    let (to, said) = node.next().await;
    assert_eq!(to, Address::Device(pair.doctor.user, pair.doctor.device));
    assert!(matches!(said, Said::Call(call_event::Kind::Signal(_))));
    for caller in [pair.patient, pair.doctor] {
        node.say(caller, call, connected());
    }
    node.service.tick().await;
    rig.clock.advance_ms(12_345);
    node.say(pair.doctor, call, call_command::Kind::HangUp(wire::CallHangUp {}));
    assert_eq!(node.over().await, CallEndReason::HungUp);
    let facts = rig.facts(pair.conversation).await;
    let [Kind::CallInvited(_), Kind::CallAccepted(accepted), Kind::CallEnded(ended)] = &facts[..] else { panic!("{facts:?}") };
    assert_eq!(accepted.device, pair.doctor.device.to_string());
    assert_eq!((ended.connected_ms, ended.gaps, ended.by.clone()), (12_345, 0, pair.doctor.user.to_string()));
    assert!(rig.log.live_calls().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_person_in_a_call_is_busy_in_every_conversation_and_free_afterwards() {
    let rig = Rig::new(2);
    let mut node = rig.node();
    let first = rig.pair().await;
    let other = rig.pair_of(rig.person(), first.doctor).await;
    let call = rig.call_id();
    node.connect(&first, call).await;
    node.invite(&other, other.patient, rig.call_id(), CallMedia::Voice);
    assert_eq!(node.over().await, CallEndReason::Busy);
    assert_eq!(node.error().await, "busy");
    let facts = rig.facts(other.conversation).await;
    assert!(matches!(&facts[..], [Kind::CallInvited(_), Kind::CallEnded(ended)] if ended.reason() == CallEndReason::Busy));
    node.invite(&other, other.doctor, rig.call_id(), CallMedia::Voice);
    assert_eq!(node.error().await, "line_busy", "the doctor cannot begin a second call");
    node.say(first.doctor, call, call_command::Kind::HangUp(wire::CallHangUp {}));
    node.over().await;
    node.ring(&other, rig.call_id()).await;
}

#[tokio::test]
async fn of_two_people_who_call_each_other_at_once_one_call_survives() {
    let rig = Rig::new(3);
    for _ in 0..20 {
        let (mut node, pair) = (rig.node(), rig.pair().await);
        node.invite(&pair, pair.patient, rig.call_id(), CallMedia::Video);
        node.invite(&pair, pair.doctor, rig.call_id(), CallMedia::Video);
        let (mut rings, mut refused) = (0, 0);
        while rings + refused < 2 {
            match node.next().await {
                (Address::AllDevices(_), Said::Call(call_event::Kind::Incoming(_))) => rings += 1,
                (_, Said::Error(error)) => {
                    assert_eq!(error.code, "call_in_progress");
                    refused += 1;
                }
                _ => {}
            }
        }
        assert_eq!((rings, refused), (1, 1));
        assert_eq!(rig.log.live_calls().await.unwrap().iter().filter(|(at, _)| *at == pair.conversation).count(), 1);
    }
}

#[tokio::test]
async fn k2_a_ring_ends_although_its_node_died() {
    let rig = Rig::new(4);
    let (pair, call) = (rig.pair().await, rig.call_id());
    let mut node = rig.node();
    node.ring(&pair, call).await;
    drop(node);
    rig.clock.advance_ms(timing::RING_MS);
    let mut other = rig.node();
    other.service.sweep().await;
    assert_eq!(other.over().await, CallEndReason::NoAnswer);
    assert!(matches!(&rig.facts(pair.conversation).await[..], [_, Kind::CallEnded(ended)] if ended.reason() == CallEndReason::NoAnswer));
}

#[tokio::test]
async fn a_call_outlives_its_node_when_its_devices_come_back() {
    let rig = Rig::new(5);
    let (pair, call) = (rig.pair().await, rig.call_id());
    let mut node = rig.node();
    node.connect(&pair, call).await;
    drop(node);
    let mut other = rig.node();
    other.service.sweep().await;
    for caller in [pair.patient, pair.doctor] {
        other.say(caller, call, call_command::Kind::Attach(wire::CallAttach { media_kept: true }));
        let (to, said) = other.next().await;
        assert_eq!(to, Address::Device(caller.user, caller.device));
        assert!(matches!(said, Said::Call(call_event::Kind::Snapshot(at)) if at.ice.is_some() && at.phase == 4));
    }
    for caller in [pair.patient, pair.doctor] {
        other.say(caller, call, connected());
    }
    other.service.tick().await;
    rig.clock.advance_ms(timing::RECONNECT_MS * 10);
    other.service.tick().await;
    other.say(pair.patient, call, call_command::Kind::HangUp(wire::CallHangUp {}));
    assert_eq!(other.over().await, CallEndReason::HungUp, "connected again, no timer ended it");
}

#[tokio::test]
async fn a_repeated_invite_is_answered_by_where_the_call_stands_and_an_old_id_never_rings_again() {
    let rig = Rig::new(6);
    let (mut node, pair, call) = (rig.node(), rig.pair().await, rig.call_id());
    node.ring(&pair, call).await;
    node.invite(&pair, pair.patient, call, CallMedia::Video);
    assert!(matches!(node.next().await.1, Said::Call(call_event::Kind::Snapshot(at)) if at.phase == 1));
    node.say(pair.patient, call, call_command::Kind::Cancel(wire::CallCancel {}));
    assert_eq!(node.over().await, CallEndReason::Cancelled);
    drop(node);
    let mut later = rig.node();
    later.invite(&pair, pair.patient, call, CallMedia::Video);
    assert_eq!(later.error().await, "call_not_live");
    assert_eq!(rig.facts(pair.conversation).await.len(), 2);
}

#[tokio::test]
async fn closing_the_conversation_ends_its_call_and_forbids_the_next() {
    let rig = Rig::new(7);
    let (mut node, pair, call) = (rig.node(), rig.pair().await, rig.call_id());
    node.connect(&pair, call).await;
    rig.close(pair.conversation).await;
    node.service.close_conversation_calls(pair.conversation).await;
    assert_eq!(node.over().await, CallEndReason::Closed);
    node.invite(&pair, pair.patient, rig.call_id(), CallMedia::Video);
    assert_eq!(node.error().await, "conversation_not_open");
}

#[tokio::test]
async fn the_sweep_ends_calls_of_closed_conversations_that_nobody_told_it_about() {
    let rig = Rig::new(8);
    let (mut node, pair) = (rig.node(), rig.pair().await);
    node.connect(&pair, rig.call_id()).await;
    rig.close(pair.conversation).await;
    node.service.sweep().await;
    assert_eq!(node.over().await, CallEndReason::Closed);
}

/// Says no to one step.
struct Refusing(Step);

impl CallGate for Refusing {
    fn permit(&self, request: CallRequest) -> Pin<Box<dyn Future<Output = Result<(), Code>> + Send + '_>> {
        Box::pin(std::future::ready(if request.step == self.0 { Err(Code::NotPermitted) } else { Ok(()) }))
    }
}

#[tokio::test]
async fn what_the_business_refuses_neither_rings_nor_starts() {
    let rig = Rig::new(9);
    let (pair, call) = (rig.pair().await, rig.call_id());
    let mut node = rig.node_with(Arc::new(Refusing(Step::Invite)), Limits::default());
    node.invite(&pair, pair.patient, call, CallMedia::Video);
    assert_eq!(node.error().await, "not_permitted");
    assert!(rig.facts(pair.conversation).await.is_empty());
    let mut node = rig.node_with(Arc::new(Refusing(Step::Accept)), Limits::default());
    node.ring(&pair, rig.call_id()).await;
    let ringing = rig.log.live_calls().await.unwrap()[0].1.call;
    node.say(pair.doctor, ringing, call_command::Kind::Accept(wire::CallAccept {}));
    assert_eq!(node.error().await, "not_permitted");
    assert_eq!(rig.facts(pair.conversation).await.len(), 1);
}

#[tokio::test]
async fn a_call_that_rang_out_on_a_dead_node_gives_way_to_a_new_one() {
    let rig = Rig::new(10);
    let pair = rig.pair().await;
    let mut node = rig.node();
    node.ring(&pair, rig.call_id()).await;
    drop(node);
    let mut other = rig.node();
    other.service.sweep().await; // takes the ringing call up, and its deadline has not passed
    rig.clock.advance_ms(timing::RING_MS + 6_000);
    other.ring(&pair, rig.call_id()).await;
    assert!(
        matches!(&rig.facts(pair.conversation).await[..], [_, Kind::CallEnded(ended), Kind::CallInvited(_)] if ended.reason() == CallEndReason::NoAnswer)
    );
}
