//! Where a run shows itself while it goes on, and where its report goes.

use crate::cli::Output;
use crate::machine::Root;
use crate::report::data::{Environment, Live, Report};
use crate::report::{html, json, junit, lines, markdown};
use crate::run::RunError;
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
        // Aborted or not, what it drew is finished.
        let _ = self.0.await;
    }
}

/// One line a second; Ctrl-C ends the run.
pub(super) fn show(_: &Output, mut live: watch::Receiver<Live>, stop: &CancellationToken) -> Showing {
    let stop = stop.clone();
    Showing(tokio::spawn(async move {
        loop {
            tokio::select! {
                // Without a signal handler there is nothing to wait for.
                _ = tokio::signal::ctrl_c() => stop.cancel(),
                changed = live.changed() => match changed {
                    Ok(()) => print(&lines::second(&live.borrow_and_update())),
                    Err(_) => return,
                },
            }
        }
    }))
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
    Ok(report.exit_code)
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

#[allow(clippy::print_stdout)] // the report is the program's output
fn print(text: &str) {
    println!("{text}");
}
