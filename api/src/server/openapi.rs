//! The API's document, generated from the handlers, and its readable page.

mod complete;

pub(super) use complete::complete;

use super::router::BODY_BYTES_MAX;
use crate::{state::App, uploads};
use axum::{Json, Router, routing::get};
use utoipa::openapi::{
    Info, InfoBuilder, OpenApi, OpenApiBuilder,
    security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_swagger_ui::SwaggerUi;

pub(super) fn head() -> OpenApi {
    let mut document = OpenApiBuilder::new().info(info()).build();
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    document.components.get_or_insert_default().add_security_scheme("access_token", bearer);
    document
}

fn info() -> Info {
    InfoBuilder::new()
        .title("Wenzhen")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(format!(
            "Online consultation. Times are milliseconds UTC, money is fen, ids are UUIDs. Lengths of texts are counted in characters, without \
             the space around them.\n\n\
             Every refusal is a problem document (RFC 9457, `application/problem+json`) with a stable `code`; the codes of a path stand at its \
             answers. `temporary`: the same request may succeed later; after `retry_after_ms`, where that is known, which the header \
             `Retry-After` repeats in seconds. `fields` names what does not fit in a body or a query. Any path may also answer 405 \
             `method_not_allowed`. What belongs to somebody else is answered like what does not exist: 404 `not_found`, also where the socket says \
             `unknown_conversation` or `unknown_attachment`.\n\n\
             A JSON body has {BODY_BYTES_MAX} bytes at most, the form of an upload {} bytes; more is refused with 413 `too_large`. The answer comes \
             also while a body is still being sent; a client that sends `Expect: 100-continue` sends nothing in vain.\n\n\
             Beside these paths: `GET /healthz` (the process runs), `GET /readyz` (200 when it can serve, 503 while it drains), `GET /metrics` \
             (Prometheus), `GET /v1/socket` (WebSocket, chat/PROTOCOL.md), `GET /api/openapi.json` (this document), `GET /api/docs` (to read).",
            uploads::FORM_BYTES_MAX
        )))
        .build()
}

pub(super) fn routes(document: OpenApi) -> Router<App> {
    let served = document.clone();
    Router::new()
        .route("/api/openapi.json", get(move || std::future::ready(Json(served.clone()))))
        .merge(SwaggerUi::new("/api/docs").config(utoipa_swagger_ui::Config::from("/api/openapi.json")))
}

#[cfg(test)]
mod tests;
