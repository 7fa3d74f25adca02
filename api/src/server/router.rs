//! Assembles the router. Order matters: identity and problem rendering outside, authorization right around the API's routes.

use super::{health, inbox, metrics, openapi, socket, web as client};
use crate::{SLICES, admin, authz, http as web, payments, state::App, uploads};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    middleware::{self, Next},
    response::Response,
    routing::get,
};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// JSON bodies; uploads raise it for their own route.
pub(super) const BODY_BYTES_MAX: usize = 256 * 1024;

/// The routes of all slices with their document.
fn slices() -> (Router<App>, OpenApi) {
    let base = OpenApiRouter::with_openapi(openapi::head());
    let (router, mut document) = SLICES.iter().fold(base, |router, slice| router.merge((slice.routes)())).split_for_parts();
    openapi::complete(&mut document);
    (router, document)
}

/// Everything one process serves.
pub fn router(app: &App) -> Router {
    let (api, document) = slices();
    let api = api
        .route_layer(middleware::from_fn(refuse_oversized))
        .route_layer(middleware::from_fn_with_state(app.clone(), authz::enforce))
        .merge(openapi::routes(document))
        .merge(health::routes())
        .merge(metrics::routes())
        .merge(inbox::routes())
        .merge(admin::routes())
        .merge(socket::routes())
        .merge(payments::demo_routes(app));
    api.fallback(get(client::serve))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(web::take_body))
        .layer(CatchPanicLayer::custom(caught))
        .layer(middleware::from_fn(web::finish_response))
        .layer(middleware::from_fn(web::security_headers))
        .layer(middleware::from_fn_with_state(app.clone(), web::identify_request))
        .with_state(app.clone())
}

/// Method and pattern of every route of the API, from its document: what the authorization table must cover.
pub fn route_list() -> Vec<(String, String)> {
    let (_, document) = slices();
    let mut routes = Vec::new();
    for (path, item) in &document.paths.paths {
        let operations = [("GET", &item.get), ("POST", &item.post), ("PUT", &item.put), ("PATCH", &item.patch), ("DELETE", &item.delete)];
        routes.extend(
            operations.into_iter().filter(|(_, operation)| operation.is_some()).map(|(method, _)| (method.to_owned(), path.clone())),
        );
    }
    routes
}

async fn refuse_oversized(request: Request, next: Next) -> Result<Response, web::Problem> {
    let bytes_max = if request.uri().path() == uploads::PATH { uploads::FORM_BYTES_MAX } else { BODY_BYTES_MAX };
    web::refuse_declared(request.headers(), bytes_max)?;
    Ok(next.run(request).await)
}

fn caught(panic: Box<dyn std::any::Any + Send>) -> axum::response::Response {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    tracing::error!(panic = text.unwrap_or_default(), "http.panic");
    axum::response::IntoResponse::into_response(web::Problem::from(web::codes::INTERNAL))
}
