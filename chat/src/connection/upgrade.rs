//! The HTTP side of a socket: origin, subprotocol, admission, and the small buffers that make 15,000 idle sockets cheap.

use super::admission::Refused;
use super::{Origins, serve};
use crate::hub::Hub;
use crate::wire::codec::{RECORD_BYTES_MAX, Subprotocol};
use axum::extract::ws::WebSocketUpgrade;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::sync::Arc;

/// tungstenite allocates its read buffer eagerly and per socket: 128 KiB by default.
const READ_BUFFER_BYTES: usize = 1024;
const WRITE_BUFFER_BYTES: usize = 1024;

impl Hub {
    /// Answers `GET /v1/socket`. The listener should set `SO_SNDBUF` to 32 KiB, else the kernel takes megabytes for a slow reader and
    /// hides that he is slow.
    pub fn upgrade(self: &Arc<Self>, request: WebSocketUpgrade, headers: &HeaderMap, peer: IpAddr, origins: &Origins) -> Response {
        if !origins.allow(headers) {
            return refuse(StatusCode::FORBIDDEN, "this origin may not open a socket");
        }
        let request = request.protocols(Subprotocol::ALL.map(Subprotocol::name));
        let chosen = request.selected_protocol().and_then(|name| Subprotocol::from_name(name.to_str().ok()?));
        let Some(subprotocol) = chosen else {
            return refuse(StatusCode::BAD_REQUEST, "offer the subprotocol wenzhen.v1.json or wenzhen.v1.proto");
        };
        let visitor = match self.admit(peer) {
            Ok(visitor) => visitor,
            Err(Refused::Address) => return refuse(StatusCode::TOO_MANY_REQUESTS, "too many sockets of this address without hello"),
            Err(Refused::Storm(retry_after_ms)) => return refuse_for_now(retry_after_ms),
        };
        let hub = self.clone();
        request
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(WRITE_BUFFER_BYTES)
            .max_message_size(RECORD_BYTES_MAX)
            .max_frame_size(RECORD_BYTES_MAX)
            .on_upgrade(move |socket| serve(hub, socket, subprotocol, visitor))
    }
}

fn refuse(status: StatusCode, why: &'static str) -> Response {
    metrics::counter!("wenzhen_sockets_refused_total").increment(1);
    (status, why).into_response()
}

fn refuse_for_now(retry_after_ms: u32) -> Response {
    let seconds = retry_after_ms.div_ceil(1_000).max(1).to_string();
    let mut response = refuse(StatusCode::SERVICE_UNAVAILABLE, "too many sockets at once; come again");
    if let Ok(value) = seconds.parse() {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}
