//! What a run is to do: parts (a scenario with its people and rate), faults and objectives, from the command line or a TOML file.
//!
//! Everything is checked before the first socket: an unknown key, scenario or metric is an error, never ignored.

mod fault;
mod file;
mod slo;
mod units;

pub use fault::{Fault, FaultKind};
pub use file::{parse, read};
pub use slo::Slo;
pub use units::{Rate, Span, Stage, Stages};

use crate::scenario::Name;
use serde::{Deserialize, Serialize};

/// How events come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Arrivals {
    /// Open loop with exponential gaps: latency counts from the intended moment.
    #[default]
    Poisson,
    /// Open loop with equal gaps.
    Uniform,
    /// Everybody acts when his last action is answered. A probe of capacity: latency is service time only.
    Closed,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub name: String,
    pub seed: u64,
    /// Part of the stages' time whose latencies do not count.
    pub warmup: Span,
    /// The whole load, warm-up and measured time.
    pub length: Span,
    /// Sockets opened per second.
    pub connect_rate: Rate,
    pub parts: Vec<Part>,
    pub faults: Vec<Fault>,
    pub slo: Vec<Slo>,
    /// How long an answer may stay out before it is indeterminate.
    pub patience: Span,
}

/// One scenario inside a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    pub scenario: Name,
    /// People who take part; conversations are never torn apart between parts.
    pub users: usize,
    pub arrivals: Arrivals,
    pub stages: Stages,
    /// The scenario's own keys; it refuses those it does not know.
    #[serde(default)]
    pub options: serde_json::Map<String, serde_json::Value>,
}

#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("the scenario file {path}: {reason}")]
    File { path: String, reason: String },
    #[error("{0}")]
    Wrong(String),
}

impl Plan {
    /// The largest number of people the run needs.
    pub fn users(&self) -> usize {
        self.parts.iter().map(|part| part.users).sum()
    }

    /// The same plan for one of several workers: its share of each part's rate.
    pub fn share(&self, workers: u32) -> Self {
        let mut plan = self.clone();
        let share = 1.0 / f64::from(workers.max(1));
        for part in &mut plan.parts {
            part.stages = part.stages.scaled(share);
        }
        plan.connect_rate = Rate(plan.connect_rate.0 * share);
        plan
    }

    /// The first thing about the plan that cannot be.
    pub fn check(&self) -> Result<(), PlanError> {
        let wrong = |reason: String| Err(PlanError::Wrong(reason));
        if self.parts.is_empty() {
            return wrong("a run needs at least one part".into());
        }
        if self.warmup >= self.length {
            return wrong(format!("a warm-up of {} leaves nothing of {} to measure", self.warmup, self.length));
        }
        for part in &self.parts {
            crate::scenario::check_options(part).map_err(PlanError::Wrong)?;
        }
        for fault in &self.faults {
            if fault.at.0 >= self.length.0 {
                return wrong(format!("the fault {} comes after the end", fault));
            }
        }
        Ok(())
    }
}
