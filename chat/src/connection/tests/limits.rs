//! Rates and numbers: refused with a moment to retry, and closed when that is ignored.

use super::rig::{Person, limits, rig, rig_with};
use crate::errors::CloseCode;
use crate::ids::Role;
use crate::limits::HubLimits;
use crate::wire::codec::Subprotocol;
use crate::wire::{Ping, WatchPresence, event::Kind};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Error;

#[tokio::test]
async fn sends_have_a_rate_per_person_over_all_sockets() {
    let rig = rig_with(HubLimits { sends_per_s: 2, sends_burst: 3, ..limits() }).await;
    let (mut patient, _doctor, conversation) = rig.pair().await;
    let mut second = rig.connect(&patient.person(), Subprotocol::Proto).await;
    for _ in 0..3 {
        patient.send(rig.send(conversation, "x")).await;
        patient.until_sent().await;
    }
    let send = rig.send(conversation, "too fast");
    second.send(send.clone()).await;
    let error = second.until_error().await;
    assert_eq!((error.code.as_str(), error.temporary, error.retry_after_ms, &error.re), ("rate_limited", true, 500, &send.id));
    rig.clock.advance_ms(500);
    second.send(send).await;
    assert_eq!(second.until_sent().await.seq, 4);
}

#[tokio::test]
async fn who_ignores_refusals_is_closed() {
    let rig = rig_with(HubLimits { commands_per_s: 1, commands_burst: 5, refusals_burst: 10, ..limits() }).await;
    let mut client = rig.connect(&rig.person(Role::Patient), Subprotocol::Proto).await;
    for nonce in 0..5 {
        client.send(Ping { nonce }).await;
        assert!(matches!(client.event().await, Kind::Pong(_)));
    }
    for _ in 0..11 {
        client.send(Ping { nonce: 9 }).await;
    }
    for _ in 0..10 {
        assert_eq!(client.until_error().await.code, "rate_limited");
    }
    let closed = client.closed().await;
    assert_eq!((closed.code, closed.reason.as_str()), (Some(CloseCode::Abuse), "abuse;within_ms=30000"));
}

#[tokio::test]
async fn bytes_have_a_rate_too() {
    let rig = rig_with(HubLimits { bytes_per_s: 1, bytes_burst: 200_000, refusals_burst: 3, ..limits() }).await;
    let mut client = rig.connect(&rig.person(Role::Patient), Subprotocol::Json).await;
    let padded = format!("{{\"ping\":{{}},\"pad\":\"{}\"}}", "x".repeat(60_000));
    for _ in 0..12 {
        client.send_text(&padded).await;
    }
    assert_eq!(client.closed().await.code, Some(CloseCode::Abuse));
}

#[tokio::test]
async fn the_door_refuses_a_storm_and_a_crowd_of_one_address() {
    let status = async |rig: &super::rig::Rig| {
        let stream = TcpStream::connect(rig.address).await.unwrap();
        match client_async(rig.request(&[("sec-websocket-protocol", "wenzhen.v1.json")]), stream).await {
            Ok((socket, _)) => (101, Some(socket)),
            Err(Error::Http(response)) => (response.status().as_u16(), None),
            Err(error) => panic!("{error}"),
        }
    };
    let crowd = rig_with(HubLimits { unauthenticated_per_ip_max: 2, ..limits() }).await;
    let (first, second) = (status(&crowd).await, status(&crowd).await);
    assert_eq!((first.0, second.0, status(&crowd).await.0), (101, 101, 429));

    let storm = rig_with(HubLimits { accepts_per_s: 1, accepts_burst: 1, ..limits() }).await;
    assert_eq!((status(&storm).await.0, status(&storm).await.0), (101, 503));
    storm.clock.advance_ms(1_000);
    assert_eq!(status(&storm).await.0, 101);
}

/// One who said hello does not count against his address any more: a hospital is one address.
#[tokio::test]
async fn authenticated_sockets_leave_the_door() {
    let rig = rig_with(HubLimits { unauthenticated_per_ip_max: 1, ..limits() }).await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(rig.connect(&rig.person(Role::Patient), Subprotocol::Json).await);
    }
    assert_eq!(rig.hub.stats().sockets, 5);
}

#[tokio::test]
async fn a_watch_list_has_200_places() {
    let rig = rig().await;
    let person: Person = rig.person(Role::Patient);
    let mut client = rig.connect(&person, Subprotocol::Json).await;
    client.send(WatchPresence { users: vec![person.user.to_string(); 201] }).await;
    assert_eq!(client.until_error().await.code, "too_many");
    client.send(WatchPresence { users: vec!["me".into()] }).await;
    assert_eq!(client.until_error().await.code, "invalid_field");
}
