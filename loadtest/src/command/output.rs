//! Where a run shows itself while it goes on, and where its report goes.

use crate::cli::Output;
use crate::machine::Root;
use crate::report::data::{Environment, Live, Report};
use crate::report::{html, json, junit, lines, markdown};
use crate::run::RunError;
use std::io::Write as _;
use std::path::Path;
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

pub(super) fn write(report: &Report, outputs: &Output) -> Result<u8, RunError> {
    let mut out = std::io::stdout().lock();
    // Whoever closed the pipe does not want it.
    let _ = out.write_all(lines::summary(report).as_bytes()).and_then(|()| out.flush());
    files(report, outputs)?;
    Ok(report.exit_code)
}

/// Each form that was asked for, and all of them into the folder.
pub(super) fn files(report: &Report, outputs: &Output) -> Result<(), RunError> {
    type Form = (&'static str, fn(&Report) -> String);
    const FORMS: [Form; 4] =
        [("report.json", json::write), ("report.html", html::render), ("junit.xml", junit::render), ("summary.md", markdown::render)];
    let asked = [&outputs.json, &outputs.html, &outputs.junit, &outputs.markdown];
    if let Some(folder) = &outputs.out {
        std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    }
    for ((name, form), asked) in FORMS.into_iter().zip(asked) {
        for path in asked.iter().cloned().chain(outputs.out.as_ref().map(|folder| folder.join(name))) {
            std::fs::write(&path, form(report)).map_err(|error| unwritable(&path, &error))?;
        }
    }
    Ok(())
}

fn unwritable(path: &Path, error: &std::io::Error) -> RunError {
    RunError::Infrastructure(format!("the report could not be written to {}: {error}", path.display()))
}
