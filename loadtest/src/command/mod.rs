//! One command each: from its options to its exit code.

mod capacity;
mod compare;
mod output;
mod plan;
mod report;
mod run;
mod server;
mod shared;

use crate::cli::{Arguments, Command, EXIT_PASS};
use crate::run::RunError;

pub async fn execute(arguments: Arguments) -> Result<u8, RunError> {
    match arguments.command {
        None => run::canonical(arguments.canonical).await,
        Some(Command::Run(options)) => run::run(*options).await,
        Some(Command::Capacity(options)) => capacity::run(*options).await,
        Some(Command::Work(options)) => shared::work(&options).await,
        Some(Command::Doctor(options)) => Ok(doctor(&options).await),
        Some(Command::Report(options)) => report::again(&options),
        Some(Command::Selftest(options)) => {
            crate::selftest::run(&crate::selftest::Options { seed: options.seed, only: options.only, times: options.times }).await
        }
        Some(Command::Compare(options)) => compare::run(&options),
        Some(Command::Scenarios) => {
            list();
            Ok(EXIT_PASS)
        }
    }
}

#[allow(clippy::print_stdout)] // the answer to the command
async fn doctor(options: &crate::machine::doctor::Doctor) -> u8 {
    let diagnosis = crate::machine::doctor::examine(&crate::machine::Root::default(), options).await;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&diagnosis).unwrap_or_default());
    } else {
        println!("{}", diagnosis.text());
    }
    diagnosis.exit_code()
}

#[allow(clippy::print_stdout)] // the answer to the command
fn list() {
    println!("{:<12}A clinic's 24 hours in one: all of these mixed.", plan::DAY);
    for name in crate::scenario::Name::ALL {
        println!("{:<12}{}", name.name(), name.about().trim());
    }
}

/// An error with everything that led to it, on one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
