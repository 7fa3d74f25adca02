//! People as programs: drives a Wenzhen installation over its public protocol and says what it did, how fast, and whether correctly.
//!
//! Knows the words of the protocol and the network, nothing of the server.

#![allow(dead_code)] // parts are being put together

mod cli;
mod clock;
mod ledger;
mod machine;
mod measure;
mod people;
mod report;
mod scenario;
mod schedule;
mod seed;
mod server;
mod socket;
mod target;

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
    match runtime.block_on(scenario::run(arguments)) {
        Ok(report) => {
            report.print();
            ExitCode::from(report.exit_code)
        }
        Err(error) => {
            eprintln!("loadtest: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
