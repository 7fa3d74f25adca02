//! Where a run shows itself while it goes on, and where its report goes.

use crate::cli::{EXIT_PASS, Output};
use crate::dashboard;
use crate::machine::Root;
use crate::report::data::{Environment, Live, Report};
use crate::report::{compare, html, json, junit, lines, markdown, prometheus};
use crate::run::RunError;
use std::io::Write as _;
use std::path::Path;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub(super) fn environment(warnings: Vec<String>) -> Environment {
    let mut arguments: Vec<String> = std::env::args().collect();
    // Where the program lies is nobody's business.
    if let Some(program) = arguments.first_mut() {
        *program = "loadtest".into();
    }
    crate::machine::environment::environment(&Root::default(), &arguments, None, warnings)
}

/// Shown until the run ends.
#[derive(Debug)]
pub(super) struct Showing {
    shown: dashboard::Shown,
    /// Ends the Prometheus endpoint.
    over: CancellationToken,
}

impl Showing {
    pub(super) async fn end(self) {
        self.over.cancel();
        self.shown.end().await;
    }
}

/// The dashboard or plain lines, and the Prometheus endpoint where asked for. What cannot work is told before the run.
pub(super) async fn show(outputs: &Output, live: watch::Receiver<Live>, stop: &CancellationToken) -> Result<Showing, RunError> {
    if let Some(path) = &outputs.baseline {
        super::report::read(path)?;
    }
    let over = CancellationToken::new();
    if let Some(address) = &outputs.prom {
        let address = prometheus::address(address).map_err(|error| RunError::Usage(error.to_string()))?;
        let listener = prometheus::bind(address).await.map_err(|error| RunError::Infrastructure(error.to_string()))?;
        tokio::spawn(prometheus::serve(listener, live.clone(), over.clone()));
    }
    Ok(Showing { shown: dashboard::show(outputs.tui, live, stop.clone()), over })
}

/// The summary for people, and every file that was asked for.
pub(super) fn write(report: &Report, outputs: &Output) -> Result<u8, RunError> {
    print(&lines::summary(report));
    let folder = outputs.out.as_deref();
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    }
    file(outputs.json.as_deref(), folder, "report.json", || json::write(report))?;
    file(outputs.html.as_deref(), folder, "report.html", || html::render(report))?;
    file(outputs.junit.as_deref(), folder, "junit.xml", || junit::render(report))?;
    file(outputs.markdown.as_deref(), folder, "summary.md", || markdown::render(report))?;
    let Some(path) = &outputs.baseline else { return Ok(report.exit_code) };
    let regressed = compared(&super::report::read(path)?, report, &compare::Options::default());
    match (report.exit_code, regressed) {
        (EXIT_PASS, Ok(code)) if outputs.fail_on_regression => Ok(code),
        // An invalid run has said so already.
        (EXIT_PASS, Err(error)) => Err(RunError::Usage(error.to_string())),
        (code, _) => Ok(code),
    }
}

/// Prints the comparison; its exit code.
pub(super) fn compared(base: &Report, new: &Report, options: &compare::Options) -> Result<u8, compare::CompareError> {
    let comparison = compare::compare(base, new, options)?;
    print(&compare::text(&comparison));
    Ok(comparison.exit_code())
}

fn file(asked: Option<&Path>, folder: Option<&Path>, name: &str, text: impl Fn() -> String) -> Result<(), RunError> {
    for path in asked.map(Path::to_path_buf).into_iter().chain(folder.map(|folder| folder.join(name))) {
        std::fs::write(&path, text()).map_err(|error| failed(&path, &error))?;
    }
    Ok(())
}

fn failed(path: &Path, error: &std::io::Error) -> RunError {
    RunError::Infrastructure(format!("{}: {error}", path.display()))
}

fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    // Whoever closed the pipe does not want it.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
