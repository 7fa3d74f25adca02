//! The `wenzhen` binary: see `wenzhen --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    api::cli::run()
}
