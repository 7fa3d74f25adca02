//! Scenario files. `loadtest/scenarios/` holds examples; loadtest/README.md documents every key.

use super::{Arrivals, Fault, Part, Plan, PlanError, Rate, Slo, Span, Stages};
use crate::scenario::Name;
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<String>,
    users: usize,
    #[serde(default = "one")]
    seed: u64,
    #[serde(default = "five_seconds")]
    warmup: Span,
    /// Of the load without the warm-up; may be left out where every part has stages.
    duration: Option<Span>,
    #[serde(default = "thousand")]
    connect_rate: Rate,
    #[serde(default = "half_a_minute")]
    patience: Span,
    #[serde(default)]
    slo: Vec<Slo>,
    #[serde(default)]
    faults: Vec<Fault>,
    part: Vec<FilePart>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FilePart {
    scenario: Name,
    /// Part of the file's `users`, 0 to 1.
    share: Option<f64>,
    users: Option<usize>,
    rate: Option<Rate>,
    stages: Option<Stages>,
    #[serde(default)]
    arrivals: Arrivals,
    #[serde(default)]
    options: serde_json::Map<String, serde_json::Value>,
}

const fn one() -> u64 {
    1
}
const fn five_seconds() -> Span {
    Span::seconds(5)
}
const fn half_a_minute() -> Span {
    Span::seconds(30)
}
const fn thousand() -> Rate {
    Rate(1000.0)
}

pub fn read(path: &Path) -> Result<Plan, PlanError> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| PlanError::File { path: shown.clone(), reason: error.to_string() })?;
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    parse(&text, stem).map_err(|reason| PlanError::File { path: shown, reason })
}

pub fn parse(text: &str, stem: String) -> Result<Plan, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let length_asked = file.duration.map(|duration| Span(duration.0 + file.warmup.0));
    let mut parts = Vec::with_capacity(file.part.len());
    for part in file.part {
        let name = part.scenario;
        let users = match (part.users, part.share) {
            (Some(_), Some(_)) => return Err(format!("part {name}: users or share, not both")),
            (Some(users), None) => users,
            (None, Some(share)) if (0.0..=1.0).contains(&share) => (file.users as f64 * share).round() as usize,
            (None, Some(share)) => return Err(format!("part {name}: a share of {share} is not between 0 and 1")),
            (None, None) => file.users,
        };
        let stages = match (part.stages, part.rate, length_asked) {
            (Some(_), Some(_), _) => return Err(format!("part {name}: rate or stages, not both")),
            (Some(stages), None, _) => stages,
            (None, rate, Some(length)) => Stages::constant(rate.unwrap_or(Rate(0.0)), length),
            (None, _, None) => return Err(format!("part {name}: without stages the file needs a duration")),
        };
        parts.push(Part { scenario: name, users, arrivals: part.arrivals, stages, options: part.options });
    }
    let asked: usize = parts.iter().map(|part| part.users).sum();
    if asked > file.users {
        return Err(format!("the parts take {asked} people, the file has {}", file.users));
    }
    let length = length_asked.or_else(|| parts.iter().map(|part| part.stages.length()).max_by(|a, b| a.0.cmp(&b.0))).unwrap_or_default();
    Ok(Plan {
        name: file.name.unwrap_or(stem),
        seed: file.seed,
        warmup: file.warmup,
        length,
        connect_rate: file.connect_rate,
        parts,
        faults: file.faults,
        slo: file.slo,
        patience: file.patience,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
        users = 1000
        duration = "60s"
        slo = ["ack.p99 < 25ms during steady"]
        faults = ["kill9@30s"]
        [[part]]
        scenario = "text"
        share = 0.8
        rate = "500/s"
        [[part]]
        scenario = "idle"
        users = 200
        stages = "60s:0"
    "#;

    #[test]
    fn a_file_is_a_mix_with_people_stages_faults_and_objectives() {
        let plan = parse(WHOLE, "morning".into()).expect("well formed");
        assert_eq!((plan.name.as_str(), plan.users(), plan.length), ("morning", 1000, Span::seconds(65)));
        assert_eq!(plan.parts[0].stages.rate_at(1), 500.0);
        plan.check().expect("possible");
    }

    #[test]
    fn what_nobody_knows_is_an_error_with_its_line() {
        for (wrong, says) in [
            (WHOLE.replace("share = 0.8", "weight = 0.8"), "weight"),
            (WHOLE.replace("\"text\"", "\"texting\""), "texting"),
            (WHOLE.replace("ack.p99", "acks.p99"), "acks"),
            (WHOLE.replace("users = 200", "users = 201"), "1001"),
            (WHOLE.replace("duration = \"60s\"", ""), "duration"),
        ] {
            let error = parse(&wrong, String::new()).expect_err("refused");
            assert!(error.contains(says), "{error}");
        }
    }
}
