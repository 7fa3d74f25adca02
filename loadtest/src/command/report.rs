//! `loadtest report`: the outputs of an earlier run again, from its JSON.

use super::output;
use crate::cli::{Output, ReportAgain};
use crate::report::{data::Report, json};
use crate::run::RunError;
use std::path::Path;

pub(super) fn again(options: &ReportAgain) -> Result<u8, RunError> {
    let report = read(&options.file)?;
    let outputs = Output {
        html: options.html.clone(),
        junit: options.junit.clone(),
        markdown: options.markdown.clone(),
        out: options.out.clone(),
        ..Output::default()
    };
    output::write(&report, &outputs)?;
    Ok(crate::cli::EXIT_PASS)
}

pub(super) fn read(path: &Path) -> Result<Report, RunError> {
    let wrong = |reason: String| RunError::Usage(format!("{}: {reason}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    json::read(&text).map_err(|error| wrong(error.to_string()))
}
