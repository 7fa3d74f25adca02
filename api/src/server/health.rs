//! `/healthz` says that the process runs, `/readyz` that it can serve: it fails first while draining.

use crate::{sql, state::App};
use axum::{Router, extract::State, routing::get};
use http::StatusCode;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(ready))
}

async fn ready(State(app): State<App>) -> (StatusCode, &'static str) {
    if app.shutdown.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n");
    }
    match app.db.scalar::<i64>(sql!("SELECT COUNT(*) FROM tenants")).await {
        Ok(_) => (StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::error!(error = %crate::http::causes(&error), "health.not_ready");
            (StatusCode::SERVICE_UNAVAILABLE, "business data unavailable\n")
        }
    }
}
