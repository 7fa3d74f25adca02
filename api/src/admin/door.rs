//! The running server's side: a loopback route that only the holder of the installation's keys can use.

use super::{DOOR, KEY, PEOPLE_MAX, people};
use crate::{
    http::{Json, Peer, Problem, codes},
    keys::Keys,
    state::App,
};
use axum::{Router, body::Body, extract::State, response::IntoResponse, routing::post};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::TryStreamExt;
use http::{HeaderMap, header};
use serde::Deserialize;
use std::{net::SocketAddr, path::Path};

/// Where a running server says its address.
const NOTE: &str = "server.addr";

#[derive(Deserialize)]
struct Request {
    count: usize,
}

pub(crate) fn routes() -> Router<App> {
    Router::new().route(DOOR, post(mint))
}

async fn mint(State(app): State<App>, peer: Peer, headers: HeaderMap, Json(request): Json<Request>) -> Result<impl IntoResponse, Problem> {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
    let right = shown.is_some_and(|shown| bool::from(subtle::ConstantTimeEq::ct_eq(shown.as_bytes(), key(&app.keys).as_bytes())));
    if !app.config.demo || !peer.0.is_loopback() || !right {
        return Err(Problem::not_found());
    }
    if request.count > PEOPLE_MAX {
        return Err(Problem::new(codes::TOO_LARGE));
    }
    // The answer has begun when something breaks: the connection breaks off with it, which the client takes for the error it is.
    let lines = people::lines(&app, request.count).map_err(|problem| std::io::Error::other(problem.code.code));
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)))
}

pub(super) fn key(keys: &Keys) -> String {
    URL_SAFE_NO_PAD.encode(keys.derived(KEY))
}

/// Leaves the address beside the data, for commands that want to reach this server.
pub(crate) fn announce(data: &Path, addr: SocketAddr) -> std::io::Result<()> {
    std::fs::write(data.join(NOTE), addr.to_string())
}

pub(crate) fn withdraw(data: &Path) {
    // A note that stays behind is noticed: nobody answers at that address.
    let _ = std::fs::remove_file(data.join(NOTE));
}

pub(super) fn announced(data: &Path) -> Option<SocketAddr> {
    std::fs::read_to_string(data.join(NOTE)).ok()?.parse().ok()
}
