//! Revocation, drain, heartbeats: how sockets end.

use super::rig::{limits, rig, rig_with, text_kind};
use crate::errors::CloseCode;
use crate::ids::Role;
use crate::limits::HubLimits;
use crate::wire::codec::Subprotocol;
use crate::wire::event::Kind;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Error;

/// S1: no frame after the revocation, on any socket of the session, and the token is no good any more.
#[tokio::test]
async fn a_revoked_session_hears_nothing_more() {
    let rig = rig().await;
    let (patient, mut doctor, conversation) = rig.pair().await;
    let other_session = super::rig::Person { session: rig.entropy.id(rig.clock.now()), ..patient.person() };
    let mut other = rig.connect(&other_session, Subprotocol::Json).await;
    let mut sockets = [patient, rig.connect(&doctor.person(), Subprotocol::Json).await];
    rig.hub.close_session(sockets[0].person().session, CloseCode::Revoked);
    rig.append(conversation, Some(doctor.person().user), text_kind("after"), false).await;
    assert!(matches!(other.until_entry().await.seq, 1));
    doctor.until_entry().await;
    match sockets[0].settle_or_close().await {
        Ok(told) => panic!("still open: {told:?}"),
        Err((told, closed)) => assert_eq!((told.len(), closed.code), (0, Some(CloseCode::Revoked))),
    }
    let mut again = rig.open(Subprotocol::Json).await;
    again.send(rig.hello(&sockets[0].person())).await;
    assert_eq!(again.closed().await.code, Some(CloseCode::Revoked));
}

#[tokio::test]
async fn a_person_who_is_stopped_loses_all_sockets_and_may_sign_in_anew_later() {
    let rig = rig().await;
    let person = rig.person(Role::Doctor);
    let mut first = rig.connect(&person, Subprotocol::Json).await;
    let mut second = rig.connect(&super::rig::Person { session: rig.entropy.id(rig.clock.now()), ..person }, Subprotocol::Proto).await;
    rig.hub.close_user(person.user, CloseCode::Revoked);
    for client in [&mut first, &mut second] {
        assert_eq!(client.closed().await.code, Some(CloseCode::Revoked));
    }
    rig.clock.advance_ms(1);
    rig.connect(&person, Subprotocol::Json).await;
}

#[tokio::test]
async fn a_drain_acknowledges_what_was_sent_and_spreads_the_returns() {
    let rig = rig().await;
    let (mut patient, doctor, conversation) = rig.pair().await;
    let mut others = Vec::new();
    for _ in 0..20 {
        others.push(rig.connect(&rig.person(Role::Patient), Subprotocol::Json).await);
    }
    patient.send(rig.send(conversation, "before")).await;
    patient.until_sent().await;
    let hub = rig.hub.clone();
    let draining = tokio::spawn(async move { hub.drain(Duration::from_millis(8_000), Duration::from_secs(10)).await });
    let mut waits = std::collections::HashSet::new();
    for client in &mut others {
        let closed = client.closed().await;
        assert_eq!(closed.code, Some(CloseCode::Drain));
        let within: u32 = closed.reason.strip_prefix("drain;within_ms=").unwrap().parse().unwrap();
        assert!(within <= 8_000);
        waits.insert(within);
    }
    assert!(waits.len() > 10, "each its own: {waits:?}");
    drop((patient, doctor));
    draining.await.unwrap();
    assert_eq!(rig.hub.stats().sockets, 0);
    let stream = TcpStream::connect(rig.address).await.unwrap();
    match client_async(rig.request(&[("sec-websocket-protocol", "wenzhen.v1.json")]), stream).await {
        Err(Error::Http(response)) => assert_eq!((response.status().as_u16(), response.headers().contains_key("retry-after")), (503, true)),
        other => panic!("let in: {other:?}"),
    }
}

#[tokio::test]
async fn a_silent_peer_is_pinged_and_then_given_up() {
    let rig = rig_with(HubLimits { heartbeat_ms: 60, sweep_ms: 10, ..limits() }).await;
    let mut changes = rig.hub.watch_presence_changes();
    let (alive, silent) = (rig.person(Role::Patient), rig.person(Role::Patient));
    let mut alive = rig.connect(&alive, Subprotocol::Json).await;
    // Not polled, so its pings stay unanswered; it is still connected as far as TCP knows.
    let mut mute = rig.connect(&silent, Subprotocol::Json).await;
    let mut gone = false;
    while !gone {
        tokio::select! {
            change = changes.recv() => gone = change.unwrap() == (silent.user, false),
            kind = alive.event() => panic!("{kind:?}"),
        }
    }
    assert_eq!(mute.closed().await.code, Some(CloseCode::HeartbeatLost));
    assert!(alive.settle().await.is_empty(), "answering pings is enough to stay");
}

#[tokio::test]
async fn the_oldest_socket_makes_room_for_the_newest() {
    let rig = rig_with(HubLimits { sockets_per_user_max: 2, ..limits() }).await;
    let person = rig.person(Role::Patient);
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(rig.connect(&person, Subprotocol::Json).await);
    }
    assert_eq!(clients[0].closed().await.code, Some(CloseCode::Replaced));
    clients[1].settle().await;
    clients[2].settle().await;
}

#[tokio::test]
async fn events_reach_a_person_a_device_or_all_but_one() {
    let rig = rig().await;
    let phone = rig.person(Role::Patient);
    let tablet = super::rig::Person { device: rig.entropy.id(rig.clock.now()), ..phone };
    let (mut on_phone, mut on_tablet) = (rig.connect(&phone, Subprotocol::Json).await, rig.connect(&tablet, Subprotocol::Proto).await);
    let changed = |id: &str| crate::wire::Event::from(crate::wire::Changed { object: "order".into(), id: id.into() });
    rig.hub.send_to_user(phone.user, changed("all"), crate::hub::Delivery::Normal);
    rig.hub.send_to_device(phone.user, phone.device, changed("phone"));
    rig.hub.send_to_other_devices(phone.user, phone.device, changed("tablet"));
    let ids = |told: Vec<Kind>| {
        told.into_iter().map(|kind| if let Kind::Changed(changed) = kind { changed.id } else { panic!() }).collect::<Vec<_>>()
    };
    assert_eq!(ids(on_phone.settle().await), ["all", "phone"]);
    assert_eq!(ids(on_tablet.settle().await), ["all", "tablet"]);
}

/// Not a measurement (that is a bench's work): a fence against a future that grows by accident.
#[test]
fn the_task_of_a_socket_is_small() {
    assert!(size_of::<crate::connection::Link>() <= 448, "{}", size_of::<crate::connection::Link>());
    assert!(size_of::<super::super::pump::Pump<'_>>() <= 160, "{}", size_of::<super::super::pump::Pump<'_>>());
}
