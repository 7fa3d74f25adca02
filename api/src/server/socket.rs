//! `GET /v1/socket`: the door of the hub. Everything behind it is the conversation crate's.

use crate::{http::Peer, state::App};
use axum::{
    Router,
    extract::{State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    response::{IntoResponse, Response},
    routing::get,
};
use chat::connection::Origins;
use http::HeaderMap;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/v1/socket", get(open))
}

async fn open(
    State(app): State<App>,
    peer: Peer,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    match upgrade {
        Ok(upgrade) => {
            let origins = Origins::same_host_and(app.config.socket.origins.iter().cloned());
            app.hub.upgrade(upgrade, &headers, peer.0, &origins)
        }
        Err(rejection) => rejection.into_response(),
    }
}
