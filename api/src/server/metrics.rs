//! `/metrics` in Prometheus' text form. One recorder per process: apps of one process (tests) share it.

use crate::state::App;
use axum::{Router, extract::State, routing::get};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;

static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

pub(super) fn routes() -> Router<App> {
    start();
    Router::new().route("/metrics", get(render))
}

fn start() -> Option<&'static PrometheusHandle> {
    let installed = RECORDER
        .get_or_init(|| PrometheusBuilder::new().install_recorder().inspect_err(|error| tracing::warn!(%error, "metrics.recorder")).ok());
    installed.as_ref()
}

async fn render(State(app): State<App>) -> String {
    let Some(recorder) = start() else { return String::new() };
    metrics::gauge!("wenzhen_up").set(1.0);
    metrics::gauge!("wenzhen_draining").set(if app.shutdown.is_cancelled() { 1.0 } else { 0.0 });
    recorder.run_upkeep();
    recorder.render()
}
