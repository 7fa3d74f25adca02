//! Scenarios: one file each. A scenario opens its people's sockets, does its work, and hands back a report.

mod idle;
mod text;

use crate::cli::{Arguments, Command, EXIT_TARGET, EXIT_USAGE, Run, ScenarioName};
use crate::clock::Clock;
use crate::people::Person;
use crate::report::Report;
use crate::seed::Seeded;
use crate::socket::{OpenError, Socket, Target};
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("{0}")]
    Usage(String),
    #[error("the token file, line {line}: {reason}; make one with `wenzhen admin mint-tokens`")]
    Tokens { line: usize, reason: String },
    #[error("no socket opened; the first reason: {0}")]
    Target(OpenError),
}

impl RunError {
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Tokens { .. } => EXIT_USAGE,
            Self::Target(_) => EXIT_TARGET,
        }
    }
}

pub async fn run(arguments: Arguments) -> Result<Report, RunError> {
    let Command::Run(options) = arguments.command;
    let target = Target::parse(&options.target).map_err(RunError::Usage)?;
    let people = crate::people::read(&options.tokens, options.users)?;
    match options.scenario {
        ScenarioName::Idle => idle::run(options, target, people).await,
        ScenarioName::Text => text::run(options, target, people).await,
    }
}

/// Sockets of a run, with the index of their person, and why the others did not open.
struct Opened {
    sockets: Vec<(usize, Socket)>,
    not_opened: BTreeMap<&'static str, u64>,
}

/// Opens one socket a person at the asked rate. Every person ends in exactly one of opened or a class of not opened.
async fn open_all(options: &Run, target: &Target, people: &[Person], clock: Clock) -> Result<Opened, RunError> {
    let mut devices = Seeded::new(options.seed, "devices");
    let begin = clock.micros();
    let mut opening = tokio::task::JoinSet::new();
    for (index, person) in people.iter().enumerate() {
        let due = begin + (index as f64 / options.connect_rate * 1e6) as u64;
        tokio::time::sleep_until(clock.at(due)).await;
        let (target, person) = (target.clone(), person.clone());
        let device = uuid::Builder::from_random_bytes(devices.bytes()).into_uuid();
        opening.spawn(async move { (index, Socket::open(&target, &person, device).await) });
    }
    let mut opened = Opened { sockets: Vec::with_capacity(people.len()), not_opened: BTreeMap::new() };
    let mut first = None;
    while let Some(finished) = opening.join_next().await {
        match finished {
            Ok((index, Ok(socket))) => opened.sockets.push((index, socket)),
            Ok((_, Err(error))) => {
                *opened.not_opened.entry(error.class()).or_default() += 1;
                first.get_or_insert(error);
            }
            Err(_) => *opened.not_opened.entry("generator_limit").or_default() += 1,
        }
    }
    match first {
        Some(error) if opened.sockets.is_empty() => Err(RunError::Target(error)),
        _ => Ok(opened),
    }
}

/// Long enough for the server to give back what opening took.
const SETTLE: Duration = Duration::from_secs(2);
