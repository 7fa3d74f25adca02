//! The hourly checker: the proof of [`super::verify`] against the living books (D.11).

use super::verify;
use crate::state::App;
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(60 * 60);

/// Runs until shutdown. A finding is an error in the log and a gauge that is not zero; nothing is repaired by itself.
pub(crate) async fn check_hourly(app: App) {
    loop {
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        match verify(&app.db).await {
            Ok(report) => {
                let findings = u32::try_from(report.findings.len()).unwrap_or(u32::MAX);
                metrics::gauge!("wenzhen_ledger_findings").set(f64::from(findings));
                for finding in &report.findings {
                    tracing::error!(%finding, "ledger.unsound");
                }
                tracing::info!(transactions = report.transactions, findings, "ledger.checked");
            }
            Err(error) => tracing::error!(error = %crate::http::causes(&error), "ledger.not_checked"),
        }
    }
}
