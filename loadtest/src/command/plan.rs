//! The plan of `loadtest run`: a scenario file, or a plan of one part made from the options; options win over the file.

use crate::cli::{Canonical, Run};
use crate::plan::{self, Arrivals, Part, Plan, PlanError, Rate, Span, Stages};
use std::path::Path;

const CANONICAL: &str = include_str!("../../scenarios/canonical.toml");
/// A run of many scenarios that has a name of its own.
pub(super) const DAY: &str = "day";
const DAY_FILE: &str = include_str!("../../scenarios/day.toml");
const USERS: usize = 100;

pub(super) fn canonical(options: &Canonical) -> Result<Plan, PlanError> {
    let mut plan = plan::parse(CANONICAL, "canonical".into()).map_err(PlanError::Wrong)?;
    if !(options.size > 0.0 && options.size.is_finite()) {
        return Err(PlanError::Wrong(format!("a size of {} is none; write 0.1 for a tenth", options.size)));
    }
    for part in &mut plan.parts {
        part.users = ((part.users as f64 * options.size / 2.0).round() as usize).max(1) * 2;
        part.stages = part.stages.scaled(options.size);
    }
    if let Some(duration) = options.duration {
        lengthen(&mut plan, duration);
    }
    plan.seed = options.seed.unwrap_or(plan.seed);
    Ok(plan)
}

pub(super) fn asked(options: &Run, people: Option<usize>) -> Result<Plan, PlanError> {
    let mut plan = match options.scenario.as_str() {
        DAY => day(options)?,
        file if file.ends_with(".toml") => plan::read(Path::new(file))?,
        _ => one_part(options, people)?,
    };
    plan.seed = options.seed.unwrap_or(plan.seed);
    plan.connect_rate = options.connect_rate.unwrap_or(plan.connect_rate);
    plan.patience = options.patience.unwrap_or(plan.patience);
    plan.slo.extend(options.slo.iter().cloned());
    plan.faults.extend(options.fault.iter().copied());
    Ok(plan)
}

/// The day, for as many people and as long as asked; its rates are those of its clinic.
fn day(options: &Run) -> Result<Plan, PlanError> {
    let mut plan = plan::parse(DAY_FILE, DAY.into()).map_err(PlanError::Wrong)?;
    if options.rate.is_some() || options.stages.is_some() || !options.options.is_empty() {
        return Err(PlanError::Wrong("day has a curve of its own: --users makes it larger, --duration longer; or write a file".into()));
    }
    if let Some(users) = options.users {
        let factor = users as f64 / plan.users() as f64;
        for part in &mut plan.parts {
            part.users = ((part.users as f64 * factor / 2.0).round() as usize).max(1) * 2;
            part.stages = part.stages.scaled(factor);
        }
    }
    if let Some(duration) = options.duration {
        let factor = duration.0.as_secs_f64() / plan.length.0.as_secs_f64();
        for part in &mut plan.parts {
            part.stages = part.stages.stretched(factor);
        }
        (plan.length, plan.warmup) = (duration, Span(plan.warmup.0.mul_f64(factor)));
    }
    plan.warmup = options.warmup.unwrap_or(plan.warmup);
    Ok(plan)
}

fn one_part(options: &Run, people: Option<usize>) -> Result<Plan, PlanError> {
    let warmup = options.warmup.unwrap_or(Span::seconds(5));
    let duration = options.duration.unwrap_or(Span::seconds(30));
    let length = Span(warmup.0 + duration.0);
    let stages = match &options.stages {
        Some(stages) => stages.clone(),
        None => Stages::constant(options.rate.unwrap_or(Rate(100.0)), length),
    };
    let mut keys = serde_json::Map::new();
    for option in &options.options {
        let (key, value) = option.split_once('=').ok_or_else(|| PlanError::Wrong(format!("--set {option}: write KEY=VALUE")))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        keys.insert(key.to_owned(), value);
    }
    let users = options.users.or(people).unwrap_or(USERS);
    let mut plan = of_one(&options.scenario, users, stages, 1)?;
    plan.warmup = warmup;
    plan.parts[0].arrivals = options.arrivals;
    plan.parts[0].options = keys;
    Ok(plan)
}

/// One scenario over these people.
pub(super) fn of_one(scenario: &str, users: usize, stages: Stages, seed: u64) -> Result<Plan, PlanError> {
    let name = scenario.parse().map_err(PlanError::Wrong)?;
    Ok(Plan {
        name: scenario.to_owned(),
        seed,
        warmup: Span::default(),
        length: stages.length(),
        connect_rate: Rate(1000.0),
        parts: vec![Part { scenario: name, users, arrivals: Arrivals::Poisson, stages, options: serde_json::Map::new() }],
        faults: Vec::new(),
        slo: Vec::new(),
        patience: Span::seconds(30),
    })
}

fn lengthen(plan: &mut Plan, duration: Span) {
    plan.length = Span(plan.warmup.0 + duration.0);
    for part in &mut plan.parts {
        part.stages = Stages::constant(Rate(part.stages.highest()), plan.length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn day_of(words: &[&str]) -> Result<Plan, PlanError> {
        let arguments = ["loadtest", "run", "day"].iter().chain(words);
        let Some(crate::cli::Command::Run(options)) = crate::cli::Arguments::parse_from(arguments).command else { panic!("a run") };
        asked(&options, None)
    }

    #[test]
    fn a_day_is_as_large_and_as_long_as_asked() {
        let hour = day_of(&[]).expect("our own file");
        hour.check().expect("possible");
        assert_eq!(hour.length, Span::seconds(3600));
        assert!(hour.parts.iter().all(|part| part.stages.length() == hour.length), "every part lives the whole day");
        let short = day_of(&["--duration", "10m", "--users", "1200"]).expect("smaller in time, larger in people");
        short.check().expect("possible");
        assert_eq!((short.length, short.warmup, short.users()), (Span::seconds(600), Span::seconds(10), hour.users() * 2));
        let (noon, before) = (short.parts[0].stages.rate_at(300_000_000), hour.parts[0].stages.rate_at(1_800_000_000));
        assert!((noon - before * 2.0).abs() < 0.01, "twice the people at the same hour: {noon} {before}");
        assert!(day_of(&["--rate", "5/s"]).is_err());
    }
}
