//! Who gets in, and how those who do not are told.

use super::rig::{claims, limits, mint, rig, rig_with};
use crate::errors::CloseCode;
use crate::ids::Role;
use crate::limits::HubLimits;
use crate::wire::codec::Subprotocol;
use crate::wire::{Hello, Ping, Refresh, event::Kind};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::{self, Message};

#[tokio::test]
async fn welcome_says_who_one_is_and_what_holds_here() {
    let rig = rig().await;
    let person = rig.person(Role::Patient);
    for subprotocol in Subprotocol::ALL {
        let mut client = rig.open(subprotocol).await;
        client.send(rig.hello(&person)).await;
        let Kind::Welcome(welcome) = client.event().await else { panic!("no welcome") };
        assert_eq!(welcome.user, person.user.to_string());
        assert_eq!(welcome.session, person.session.to_string());
        assert_eq!((welcome.heartbeat_ms, welcome.record_bytes_max), (20_000, 65_536));
        assert_eq!(welcome.token_expires_at_ms, rig.clock.now().0 + 300_000);
    }
    assert!(rig.hub.is_online(person.user));
}

#[tokio::test]
async fn silence_is_closed_after_the_time_for_hello() {
    let rig = rig_with(HubLimits { hello_timeout_ms: 30, ..limits() }).await;
    let closed = rig.open(Subprotocol::Json).await.closed().await;
    assert_eq!(closed.code, Some(CloseCode::HelloTimeout));
    assert_eq!(closed.reason, "hello_timeout;within_ms=5000");
}

#[tokio::test]
async fn a_token_that_is_forged_old_or_revoked_closes_with_its_own_code() {
    let rig = rig().await;
    let person = rig.person(Role::Patient);
    let now = rig.clock.now();
    let revoked = rig.person(Role::Patient);
    rig.hub.close_session(revoked.session, CloseCode::Revoked);
    let stopped = rig.person(Role::Patient);
    let before = rig.token(&stopped);
    rig.hub.close_user(stopped.user, CloseCode::Revoked);
    for (token, code) in [
        ("".to_owned(), CloseCode::Unauthenticated),
        (rig.token(&person).replace("wz1.", "wz1.x"), CloseCode::Unauthenticated),
        (mint(&claims(&person, now.plus_ms(-300_000), now)), CloseCode::TokenExpired),
        (rig.token(&revoked), CloseCode::Revoked),
        (before, CloseCode::Revoked),
    ] {
        let mut client = rig.open(Subprotocol::Json).await;
        client.send(Hello { access_token: token, ..rig.hello(&person) }).await;
        assert_eq!(client.closed().await.code, Some(code));
    }
    assert_eq!(rig.hub.stats().sockets, 0);
}

#[tokio::test]
async fn hello_comes_first_and_in_its_form() {
    let rig = rig().await;
    let person = rig.person(Role::Patient);
    let mut early = rig.open(Subprotocol::Proto).await;
    early.send(Ping { nonce: 1 }).await;
    assert_eq!(early.closed().await.code, Some(CloseCode::HelloExpected));
    let mut empty = rig.open(Subprotocol::Proto).await;
    empty.send_frame(Message::Binary(Vec::new().into())).await;
    assert_eq!(empty.closed().await.code, Some(CloseCode::HelloExpected));
    for hello in [Hello { device: "phone".into(), ..rig.hello(&person) }, Hello { client: "x".repeat(65), ..rig.hello(&person) }] {
        let mut client = rig.open(Subprotocol::Json).await;
        client.send(hello).await;
        assert_eq!(client.closed().await.code, Some(CloseCode::Malformed));
    }
    let mut garbage = rig.open(Subprotocol::Json).await;
    garbage.send_text("hello").await;
    assert_eq!(garbage.closed().await.code, Some(CloseCode::Malformed));
}

#[tokio::test]
async fn hello_and_the_first_commands_may_share_a_frame() {
    let rig = rig().await;
    let person = rig.person(Role::Patient);
    let mut bytes = Vec::new();
    for command in [rig.hello(&person).into(), Ping { nonce: 5 }.into()] {
        let crate::wire::codec::Frame::Binary(record) = crate::wire::codec::encode_command(Subprotocol::Proto, &command) else {
            unreachable!()
        };
        bytes.extend_from_slice(&record);
    }
    let mut client = rig.open(Subprotocol::Proto).await;
    client.send_frame(Message::Binary(bytes.into())).await;
    assert!(matches!(client.event().await, Kind::Welcome(_)));
    assert!(matches!(client.event().await, Kind::Pong(pong) if pong.nonce == 5));
}

#[tokio::test]
async fn a_token_is_refreshed_in_band_and_its_end_closes_the_socket() {
    let rig = rig().await;
    let person = rig.person(Role::Patient);
    let mut kept = rig.connect(&person, Subprotocol::Json).await;
    let mut left = rig.connect(&person, Subprotocol::Json).await;
    rig.clock.advance_ms(299_000);
    kept.send(Refresh { access_token: rig.token(&person) }).await;
    let Kind::Refreshed(refreshed) = kept.event().await else { panic!("not refreshed") };
    assert_eq!(refreshed.token_expires_at_ms, rig.clock.now().0 + 300_000);
    rig.clock.advance_ms(1_000);
    assert_eq!(left.closed().await.code, Some(CloseCode::TokenExpired));
    kept.settle().await;
}

#[tokio::test]
async fn a_refresh_with_somebody_elses_token_changes_nothing() {
    let rig = rig().await;
    let person = rig.person(Role::Patient);
    let mut client = rig.connect(&person, Subprotocol::Json).await;
    let other_session = super::rig::Person { session: rig.entropy.id(rig.clock.now()), ..person };
    let promoted = super::rig::Person { role: Role::Doctor, ..person };
    for token in [rig.token(&rig.person(Role::Patient)), rig.token(&other_session), rig.token(&promoted), "wz1.a.b".into()] {
        client.send(Refresh { access_token: token }).await;
        assert_eq!(client.until_error().await.code, "unauthenticated");
    }
    client.send(rig.hello(&person)).await;
    assert_eq!(client.until_error().await.code, "already_authenticated");
}

/// CSWSH: a page of somebody else cannot open a socket here. And nothing is ever compressed: sizes would tell about contents.
#[tokio::test]
async fn the_upgrade_knows_origins_and_subprotocols_and_never_compresses() {
    let rig = rig().await;
    let status = async |headers: &[(&'static str, &str)]| {
        let stream = TcpStream::connect(rig.address).await.unwrap();
        match client_async(rig.request(headers), stream).await {
            Ok((_, response)) => (101, response.headers().clone()),
            Err(tungstenite::Error::Http(response)) => (response.status().as_u16(), response.headers().clone()),
            Err(error) => panic!("{error}"),
        }
    };
    let own = format!("http://{}", rig.address);
    let json = ("sec-websocket-protocol", "wenzhen.v1.json");
    assert_eq!(status(&[json, ("origin", &own)]).await.0, 101);
    assert_eq!(status(&[json, ("origin", "https://evil.example")]).await.0, 403);
    assert_eq!(status(&[json, ("origin", "null")]).await.0, 403);
    assert_eq!(status(&[("sec-websocket-protocol", "wenzhen.v9.json")]).await.0, 400);
    assert_eq!(status(&[]).await.0, 400);
    let (code, headers) = status(&[json, ("sec-websocket-extensions", "permessage-deflate; client_max_window_bits")]).await;
    assert_eq!((code, headers.get("sec-websocket-extensions")), (101, None));
}
