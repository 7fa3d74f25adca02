//! People as programs: drives a Wenzhen installation over its public protocol and says what it did, how fast, and whether correctly.
//!
//! Knows the words of the protocol and the network, nothing of the server.

mod cli;
mod clock;
mod command;
mod connect;
mod dashboard;
mod ledger;
mod machine;
mod measure;
mod people;
mod plan;
mod report;
mod run;
mod scenario;
mod schedule;
mod seed;
mod selftest;
mod talk;
mod target;
mod workers;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("loadtest: no runtime: {error}");
            return ExitCode::from(cli::EXIT_INFRASTRUCTURE);
        }
    };
    let code = match runtime.block_on(command::execute(arguments)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("loadtest: {error}");
            error.exit_code()
        }
    };
    ExitCode::from(code)
}
