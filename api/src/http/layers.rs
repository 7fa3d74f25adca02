//! What wraps every request: its id, who is at the other end, the headers of every answer, and problems in their final form.

use super::{Problem, codes};
use crate::state::App;
use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderName, HeaderValue, StatusCode, header, request::Parts};
use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};
use tracing::Instrument;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
     media-src 'self' blob:; connect-src 'self' ws: wss:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'";

/// Names a request in the answer, in problems and in the log. Made here: a client cannot choose it.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Address of the other end of the connection. Forwarded headers are not believed.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(peer_ip(parts)))
    }
}

pub(crate) fn peer_ip(parts: &Parts) -> IpAddr {
    let unknown = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map_or(unknown, |ConnectInfo(address)| address.ip())
}

/// Outermost: gives the request its id and a span, and the answer its id.
pub(crate) async fn identify_request(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = RequestId(app.entropy.uuid(app.clock.now()).simple().to_string());
    let span = tracing::info_span!("http.request", request_id = %id.0, method = %request.method());
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).instrument(span).await;
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Renders problems, also those of the framework (413 of the body limit, 405, a caught panic).
pub(crate) async fn finish_response(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let response = next.run(request).await;
    if let Some(problem) = response.extensions().get::<Problem>() {
        return problem.render(&id);
    }
    match response.status() {
        StatusCode::METHOD_NOT_ALLOWED => keep_allow(&response, Problem::new(codes::METHOD_NOT_ALLOWED).render(&id)),
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(codes::TOO_LARGE).render(&id),
        _ => response,
    }
}

fn keep_allow(from: &Response, mut to: Response) -> Response {
    if let Some(allow) = from.headers().get(header::ALLOW) {
        to.headers_mut().insert(header::ALLOW, allow.clone());
    }
    to
}

/// The headers of every answer. An answer of the API is not to be stored unless its handler said otherwise.
pub(crate) async fn security_headers(request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let always = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(self), microphone=(self), geolocation=()"),
    ];
    for (name, value) in always {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if is_api {
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    response
}
