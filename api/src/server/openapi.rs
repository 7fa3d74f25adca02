//! The API's document, generated from the handlers, and its readable page.

use crate::state::App;
use axum::{Json, Router, routing::get};
use utoipa::openapi::{
    Info, InfoBuilder, OpenApi, OpenApiBuilder,
    security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
};
use utoipa_swagger_ui::SwaggerUi;

pub(super) fn head() -> OpenApi {
    let mut document = OpenApiBuilder::new().info(info()).build();
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    document.components.get_or_insert_default().add_security_scheme("access_token", bearer);
    document.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>("access_token", [])]);
    document
}

fn info() -> Info {
    InfoBuilder::new()
        .title("Wenzhen")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Online consultation. Times are milliseconds UTC, money is fen, refusals are problem documents (RFC 9457)."))
        .build()
}

pub(super) fn routes(document: OpenApi) -> Router<App> {
    let served = document.clone();
    Router::new()
        .route("/api/openapi.json", get(move || std::future::ready(Json(served.clone()))))
        .merge(SwaggerUi::new("/api/docs").config(utoipa_swagger_ui::Config::from("/api/openapi.json")))
}
