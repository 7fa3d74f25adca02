//! `loadtest compare`: two reports side by side.

use super::{output, report};
use crate::cli::Compare;
use crate::report::compare::Options;
use crate::run::RunError;

pub(super) fn run(options: &Compare) -> Result<u8, RunError> {
    let (base, new) = (report::read(&options.base)?, report::read(&options.new)?);
    let asked = Options { subjects: options.metric.clone(), tolerance: options.tolerance, seed: options.seed };
    match output::compared(&base, &new, &asked) {
        Ok(code) => Ok(code),
        Err(error) => {
            eprintln!("loadtest: {error}");
            Ok(error.exit_code())
        }
    }
}
