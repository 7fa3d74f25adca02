//! One command each: from its options to its exit code.

mod capacity;
mod output;
mod plan;
mod report;
mod run;
mod server;

use crate::cli::{Arguments, Command, EXIT_PASS};
use crate::run::RunError;

pub async fn execute(arguments: Arguments) -> Result<u8, RunError> {
    match arguments.command {
        None => run::canonical(arguments.canonical).await,
        Some(Command::Run(options)) => run::run(*options).await,
        Some(Command::Capacity(options)) => capacity::run(*options).await,
        Some(Command::Report(options)) => report::again(&options),
        Some(Command::Scenarios) => {
            list();
            Ok(EXIT_PASS)
        }
    }
}

#[allow(clippy::print_stdout)] // the answer to the command
fn list() {
    for name in crate::scenario::Name::ALL {
        println!("{:<12}{}", name.name(), name.about().trim());
    }
}
