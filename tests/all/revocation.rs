//! ACC-13, U-09: who is signed out elsewhere loses his socket within a second, and his token opens no other.

use serde_json::{Value, json};
use std::time::Duration;
use tests::{process::Server, socket::Socket};
use uuid::Uuid;

const WITHIN: Duration = Duration::from_secs(1);
/// `revoked`, which tells the client not to come back.
const REVOKED: u16 = 4004;

struct SignedIn {
    token: String,
    session: String,
}

async fn sign_in(server: &Server, phone: &str) -> SignedIn {
    let device = json!({ "id": Uuid::now_v7(), "label": "测试设备" });
    let body = json!({ "phone": phone, "password": api::demo::PASSWORD, "device": device, "remember": true });
    let answer = reqwest::Client::new().post(server.url("/api/auth/login")).json(&body).send().await.expect("the server answers");
    let session: Value = answer.error_for_status().expect("a demo patient signs in").json().await.expect("a session");
    let text = |name: &str| session[name].as_str().expect("text").to_owned();
    SignedIn { token: text("access_token"), session: text("session_id") }
}

async fn loses_its_socket(server: &Server, socket: &mut Socket, gone: &SignedIn) {
    let code = tokio::time::timeout(WITHIN, socket.closed()).await.expect("closed within a second");
    assert_eq!(code, Some(REVOKED));
    assert!(Socket::open(server.port, &gone.token).await.is_err(), "the token opens no other socket");
    let me = reqwest::Client::new().get(server.url("/api/me")).bearer_auth(&gone.token).send().await.expect("the server answers");
    assert_eq!(me.status(), 401);
}

#[tokio::test]
async fn a_revoked_session_loses_its_socket_within_a_second() {
    let server = Server::start().await;
    let phone = api::demo::accounts().into_iter().find(|account| account.role == "patient").expect("a demo patient").sign_in;
    let (desk, tablet, mobile) = (sign_in(&server, &phone).await, sign_in(&server, &phone).await, sign_in(&server, &phone).await);
    let mut of_desk = Socket::open(server.port, &desk.token).await.expect("a socket");
    let mut of_tablet = Socket::open(server.port, &tablet.token).await.expect("a socket");
    let mut of_mobile = Socket::open(server.port, &mobile.token).await.expect("a socket");
    let http = reqwest::Client::new();

    // The owner ends another session of his.
    let end = http.delete(server.url(&format!("/api/auth/sessions/{}", tablet.session))).bearer_auth(&desk.token).send();
    assert!(end.await.expect("the server answers").status().is_success());
    loses_its_socket(&server, &mut of_tablet, &tablet).await;

    // A new password ends all others.
    let change = json!({ "old_password": api::demo::PASSWORD, "new_password": "better-horse-10" });
    let changed = http.post(server.url("/api/me/password")).bearer_auth(&desk.token).json(&change).send();
    assert!(changed.await.expect("the server answers").status().is_success());
    loses_its_socket(&server, &mut of_mobile, &mobile).await;

    // Signing out ends one's own.
    let left = http.post(server.url("/api/auth/logout")).bearer_auth(&desk.token).send();
    assert!(left.await.expect("the server answers").status().is_success());
    loses_its_socket(&server, &mut of_desk, &desk).await;
}
