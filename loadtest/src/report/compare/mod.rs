//! Two reports side by side: is the newer one better, the same, worse, or better here and worse there (which is a regression)?
//!
//! A difference counts only when its whole interval lies outside the tolerance. The interval is a seeded bootstrap (`bootstrap`), so the
//! same two files give the same answer. One run is one sample of the machine's mood: what differs between runs is not in the interval,
//! and that is what the tolerance is for.

mod bootstrap;
mod subject;
mod table;

pub use subject::Subject;
pub use table::text;

use super::data::{Report, Verdict as RunVerdict};
use crate::cli::{EXIT_INVALID, EXIT_PASS, EXIT_REGRESSION, EXIT_USAGE};
use bootstrap::Interval;

/// Smaller changes are not told from the mood of the machine.
const TOLERANCE: f64 = 0.05;
/// The resolution that the harness answers for.
const LATENCY_MS_MIN: f64 = 0.05;
/// A share of failures that grows by less than one in a thousand is not a change.
const SHARE_MIN: f64 = 0.001;

#[derive(Clone, Debug)]
pub struct Options {
    /// What is compared; everything worth it when empty.
    pub subjects: Vec<Subject>,
    pub tolerance: f64,
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { subjects: Vec::new(), tolerance: TOLERANCE, seed: 1 }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    #[error("the {which} report is invalid: its generator was the limit, so there is nothing to compare")]
    Invalid { which: &'static str },
    #[error("the reports are of different scenarios, {base:?} and {new:?}")]
    Scenarios { base: String, new: String },
    #[error("{subject} was not measured in the {which} report")]
    NotMeasured { subject: String, which: &'static str },
    #[error("the reports have nothing in common to compare")]
    Nothing,
}

impl CompareError {
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Invalid { .. } => EXIT_INVALID,
            _ => EXIT_USAGE,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    Better,
    Same,
    Worse,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Better,
    Same,
    Worse,
    /// Somebody bought one figure with another.
    Mixed,
}

#[derive(Clone, Debug)]
pub struct Row {
    pub subject: Subject,
    pub base: f64,
    pub new: f64,
    pub interval: Interval,
    pub finding: Finding,
}

#[derive(Clone, Debug)]
pub struct Comparison {
    pub rows: Vec<Row>,
    pub verdict: Verdict,
    /// Violations of the ledger, base and new: more of them are worse, whatever the figures say.
    pub violations: (u64, u64),
    /// What else differs between the two runs.
    pub notes: Vec<String>,
}

impl Comparison {
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            Verdict::Better | Verdict::Same => EXIT_PASS,
            Verdict::Worse | Verdict::Mixed => EXIT_REGRESSION,
        }
    }
}

pub fn compare(base: &Report, new: &Report, options: &Options) -> Result<Comparison, CompareError> {
    for (report, which) in [(base, "base"), (new, "new")] {
        if report.verdict == RunVerdict::Invalid {
            return Err(CompareError::Invalid { which });
        }
    }
    if base.scenario != new.scenario {
        return Err(CompareError::Scenarios { base: base.scenario.clone(), new: new.scenario.clone() });
    }
    let common = |subject: &Subject| subject.measure(base).is_some() && subject.measure(new).is_some();
    let subjects = match options.subjects.is_empty() {
        true => Subject::usual(base).into_iter().filter(common).collect(),
        false => options.subjects.clone(),
    };
    let rows = subjects.iter().map(|subject| row(subject, base, new, options)).collect::<Result<Vec<_>, _>>()?;
    let violations = (base.counts.violation_count(), new.counts.violation_count());
    if rows.is_empty() {
        return Err(CompareError::Nothing);
    }
    Ok(Comparison { verdict: verdict(&rows, violations), rows, violations, notes: differences(base, new) })
}

fn row(subject: &Subject, base: &Report, new: &Report, options: &Options) -> Result<Row, CompareError> {
    let measure = |report, which| subject.measure(report).ok_or_else(|| CompareError::NotMeasured { subject: subject.to_string(), which });
    let (of_base, of_new) = (measure(base, "base")?, measure(new, "new")?);
    let share = subject.is_share();
    let interval = bootstrap::interval(&of_base, &of_new, share, options.seed, &subject.to_string());
    let (base, new) = (of_base.value(), of_new.value());
    let tolerance = if share { SHARE_MIN } else { options.tolerance };
    let small = subject.is_latency() && (new - base).abs() < LATENCY_MS_MIN;
    let (lower, higher) = if subject.more_is_better() { (Finding::Worse, Finding::Better) } else { (Finding::Better, Finding::Worse) };
    let finding = match interval {
        _ if small => Finding::Same,
        Interval { low, .. } if low > tolerance => higher,
        Interval { high, .. } if high < -tolerance => lower,
        _ => Finding::Same,
    };
    Ok(Row { subject: subject.clone(), base, new, interval, finding })
}

fn verdict(rows: &[Row], violations: (u64, u64)) -> Verdict {
    let any = |finding| rows.iter().any(|row| row.finding == finding);
    let worse = any(Finding::Worse) || violations.1 > violations.0;
    let better = any(Finding::Better) || violations.1 < violations.0;
    match (better, worse) {
        (true, true) => Verdict::Mixed,
        (true, false) => Verdict::Better,
        (false, true) => Verdict::Worse,
        (false, false) => Verdict::Same,
    }
}

/// A difference of plan or machine can be the whole difference.
fn differences(base: &Report, new: &Report) -> Vec<String> {
    let (was, is) = (&base.environment, &new.environment);
    let cores = (was.cores.to_string(), is.cores.to_string());
    let workers = (base.generator.workers.to_string(), new.generator.workers.to_string());
    let pairs = [
        ("schedule", &base.schedule_hash, &new.schedule_hash),
        ("load generator", &was.loadtest_version, &is.loadtest_version),
        ("kernel", &was.kernel, &is.kernel),
        ("CPU", &was.cpu, &is.cpu),
        ("cores", &cores.0, &cores.1),
        ("workers", &workers.0, &workers.1),
    ];
    let mut notes: Vec<String> = pairs
        .into_iter()
        .filter(|(_, was, is)| was != is)
        .map(|(what, was, is)| format!("another {what}: {was} before, {is} now; the difference may be its"))
        .collect();
    if base.plan != new.plan {
        notes.push("another plan: the runs were not asked for the same".to_owned());
    }
    notes
}

#[cfg(test)]
mod tests;
