//! Where a run shows itself while it goes on, and where its report goes.

use crate::cli::Output;
use crate::machine::Root;
use crate::report::data::{Environment, Live, Report};
use crate::run::RunError;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub(super) fn environment() -> Environment {
    let arguments: Vec<String> = std::env::args().collect();
    crate::machine::environment::environment(&Root::default(), &arguments, None, Vec::new())
}

/// Shown until the run ends.
#[derive(Debug)]
pub(super) struct Showing(tokio::task::JoinHandle<()>);

impl Showing {
    pub(super) async fn end(self) {
        self.0.abort();
    }
}

pub(super) fn show(_: &Output, mut live: watch::Receiver<Live>, stop: &CancellationToken) -> Showing {
    let stop = stop.clone();
    Showing(tokio::spawn(async move {
        loop {
            tokio::select! {
                // Without a signal handler there is nothing to wait for.
                _ = tokio::signal::ctrl_c() => stop.cancel(),
                changed = live.changed() => if changed.is_err() { return },
            }
        }
    }))
}

#[allow(clippy::print_stdout)] // the report is the program's output
pub(super) fn write(report: &Report, outputs: &Output) -> Result<u8, RunError> {
    println!("{:?} {:?} {:?} {:?}", report.verdict, report.reasons, report.counts, report.latency_ms);
    println!("{:?} {:?} {:?}", report.not_opened, report.failures, report.server);
    println!("{:?} {}", report.generator, report.schedule_hash);
    if let Some(path) = &outputs.json {
        let text = serde_json::to_string_pretty(report).unwrap_or_default();
        std::fs::write(path, text).map_err(|error| RunError::Infrastructure(format!("{}: {error}", path.display())))?;
    }
    Ok(report.exit_code)
}
