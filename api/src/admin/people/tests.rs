use super::*;
use crate::{
    admin::{DOOR, door},
    testing::{Answer, TestApp},
};
use axum::{body::Body, extract::ConnectInfo};
use serde_json::{Value, json};
use std::net::SocketAddr;

async fn minted(test: &TestApp, count: usize) -> Vec<Value> {
    let lines: Vec<u8> = lines(&test.app, count).try_concat().await.unwrap();
    parsed(&lines)
}

fn parsed(lines: &[u8]) -> Vec<Value> {
    std::str::from_utf8(lines).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text<'a>(person: &'a Value, name: &str) -> &'a str {
    person[name].as_str().unwrap_or_else(|| panic!("no {name}: {person}"))
}

#[tokio::test]
async fn people_are_made_once_and_found_again() {
    let test = TestApp::start().await;
    let first = minted(&test, 5).await;
    assert_eq!((first.len(), text(&first[0], "role"), text(&first[1], "role")), (5, "patient", "doctor"));
    assert_eq!((text(&first[0], "peer"), text(&first[0], "conversation")), (text(&first[1], "user"), text(&first[1], "conversation")));
    let again = minted(&test, 4).await;
    for (before, now) in first.iter().zip(&again) {
        assert_eq!((text(before, "user"), text(before, "conversation")), (text(now, "user"), text(now, "conversation")));
        assert_ne!(text(before, "session"), text(now, "session"));
    }
    let claims = test.app.tokens.verify(text(&first[0], "access_token"), test.app.clock.now()).unwrap();
    assert_eq!(claims.user.to_string(), text(&first[0], "user"));
    assert_eq!(
        (claims.session.to_string().as_str(), claims.expires_at.0),
        (text(&first[0], "session"), first[0]["expires_at_ms"].as_i64().unwrap())
    );
    let mine = test.app.log.conversations_of(claims.user, 10).await.unwrap();
    assert_eq!(mine.len(), 1);
}

/// ACC-13: the session is like everybody's: its refresh token works once, at the public route, and a copied one ends the session.
#[tokio::test]
async fn acc_13_a_minted_session_outlives_its_access_token_and_rotates() {
    let test = TestApp::start().await;
    let people = minted(&test, 2).await;
    for person in &people {
        let first = text(person, "refresh_token").to_owned();
        test.advance_ms(9 * 60_000).await;
        let renewed = test.post("/api/auth/refresh", json!({ "refresh_token": first })).await.ok();
        assert_eq!(renewed["session_id"], person["session"]);
        assert_eq!(renewed["user"]["id"], person["user"]);
        let second = text(&renewed, "refresh_token").to_owned();
        assert_ne!(first, second);
        test.advance_ms(11 * 60_000).await;
        let renewed = test.post("/api/auth/refresh", json!({ "refresh_token": second })).await.ok();
        let token = text(&renewed, "access_token").to_owned();
        test.send(http::Method::GET, "/api/me", Some(&token), &[], None).await.ok();
        test.post("/api/auth/refresh", json!({ "refresh_token": first })).await.refused(401, "invalid_refresh_token");
        test.send(http::Method::GET, "/api/me", Some(&token), &[], None).await.refused(401, "session_revoked");
    }
}

/// More than one transaction's worth: nobody is left out or made twice at the seams.
#[tokio::test]
async fn a_stream_of_people_has_no_seams() {
    let test = TestApp::start().await;
    let count = PAIRS_AT_ONCE * 2 + 3;
    let people = minted(&test, count).await;
    let users: std::collections::HashSet<&str> = people.iter().map(|person| text(person, "user")).collect();
    assert_eq!((people.len(), users.len()), (count, count));
    for two in people.chunks_exact(2) {
        assert_eq!(text(&two[0], "peer"), text(&two[1], "user"));
    }
}

async fn knock(test: &TestApp, key: &str, from: &str) -> Answer {
    let mut request = http::Request::post(DOOR)
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .body(Body::from(r#"{"count":2}"#))
        .unwrap();
    request.extensions_mut().insert(ConnectInfo(from.parse::<SocketAddr>().unwrap()));
    test.send_raw(request).await
}

/// The door shows itself only to whoever holds the keys, in the demo, over loopback; to everybody else it does not exist.
#[tokio::test]
async fn the_door_is_not_there_without_the_key() {
    let test = TestApp::start().await;
    let key = door::key(&test.app.keys);
    let people = parsed(&knock(&test, &key, "127.0.0.1:1").await.status(200).body);
    assert_eq!(people.len(), 2);
    knock(&test, "another", "127.0.0.1:1").await.refused(404, "not_found");
    knock(&test, &key, "192.0.2.1:1").await.refused(404, "not_found");
    test.post(DOOR, json!({ "count": 2 })).await.refused(404, "not_found");
    let test = TestApp::start_with(|config| config.demo = false).await;
    let key = door::key(&test.app.keys);
    knock(&test, &key, "127.0.0.1:1").await.refused(404, "not_found");
}
