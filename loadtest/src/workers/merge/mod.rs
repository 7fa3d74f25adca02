//! The reports of the workers as one report.
//!
//! Counts and rates are sums; histograms are merged exactly and every percentile over the whole time comes from the merged one.
//! The percentiles of a single second are the worst worker's, since a second keeps no histogram: they can only be too high.

mod figures;
pub mod live;
mod metrics;
mod series;

#[cfg(test)]
mod tests;

use super::coordinator::{Ended, Outcome, Part, lost_mark};
use crate::cli::{EXIT_INCORRECT, EXIT_INVALID};
use crate::report::data::{Generator, Latencies, PhaseSummary, Report, Verdict};
use figures::{added, added_maps, marks, server, slowest_lag};
use sha2::{Digest, Sha256};

#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// With the first exit code that a worker gave.
    #[error("no worker brought a report: {reasons}")]
    NoReport { reasons: String, exit_code: Option<u8> },
    #[error("worker {index} has another {what} than the first")]
    Differs { index: u32, what: &'static str },
    #[error("{metric} of worker {index} is not a histogram")]
    Histogram { index: u32, metric: String },
}

/// One worker's report among those to be merged.
#[derive(Clone, Copy, Debug)]
struct One<'a> {
    pub index: u32,
    pub machine: &'a str,
    pub report: &'a Report,
}

/// `judge` sets verdict, exit code, reasons and SLO results from the merged figures; what the workers themselves know (a lost one,
/// one that was the limit) is laid over its judgement.
pub fn merge(outcome: &Outcome, judge: impl FnOnce(&mut Report)) -> Result<Report, MergeError> {
    let reports: Vec<One<'_>> = outcome.parts.iter().filter_map(One::of).collect();
    let Some(first) = reports.first() else { return Err(nothing(outcome)) };
    for one in &reports {
        same(first.report, one)?;
    }
    let metrics = metrics::merge(&reports, |report| &report.metrics)?;
    let percentiles = |name: &str| metrics.get(name).map(|metric| metric.percentiles_ms).unwrap_or_default();
    let mut merged = Report {
        schedule_hash: schedule_hash(&reports),
        counts: added(reports.iter().map(|one| &one.report.counts)),
        not_opened: added_maps(reports.iter().map(|one| &one.report.not_opened)),
        failures: added_maps(reports.iter().map(|one| &one.report.failures)),
        expected: added_maps(reports.iter().map(|one| &one.report.expected)),
        latency_ms: Latencies { ack: percentiles("ack"), delivery: percentiles("delivery") },
        metrics,
        phases: phases(&reports)?,
        series: series::merge(&reports),
        marks: marks(&reports),
        server: server(&reports),
        generator: generator(&reports, outcome),
        slo: Vec::new(),
        reasons: Vec::new(),
        ..first.report.clone()
    };
    merged.environment.warnings = warnings(&reports);
    for part in outcome.parts.iter().filter(|part| !matches!(part.ended, Ended::Report(_))) {
        merged.counts.asked += part.people;
        *merged.not_opened.entry("never_tried".into()).or_default() += part.people;
        merged.marks.push(lost_mark(part.index, part.ended_at_s));
    }
    judge(&mut merged);
    over(&mut merged, outcome);
    Ok(merged)
}

impl<'a> One<'a> {
    fn of(part: &'a Part) -> Option<Self> {
        match &part.ended {
            Ended::Report(report) => Some(Self { index: part.index, machine: &part.machine, report }),
            Ended::Failed(_) | Ended::Lost(_) => None,
        }
    }
}

/// A correctness failure wins over everything, also over a worker that is gone.
fn over(merged: &mut Report, outcome: &Outcome) {
    let reasons: Vec<String> = outcome.parts.iter().filter_map(spoils).collect();
    if reasons.is_empty() {
        return;
    }
    if merged.exit_code != EXIT_INCORRECT {
        (merged.verdict, merged.exit_code) = (Verdict::Invalid, EXIT_INVALID);
        merged.reasons.splice(0..0, reasons);
    } else {
        merged.reasons.extend(reasons);
    }
}

fn spoils(part: &Part) -> Option<String> {
    let who = format!("worker {} ({})", part.index, part.name);
    match &part.ended {
        Ended::Report(report) if report.verdict == Verdict::Invalid => Some(format!("{who} was the limit: {}", report.reasons.join("; "))),
        Ended::Report(_) => None,
        Ended::Failed(failure) => Some(format!("{who} has no report: {}; its {} people count as never tried", failure.reason, part.people)),
        Ended::Lost(reason) => Some(format!("{who} is lost: {reason}; its {} people count as never tried", part.people)),
    }
}

fn nothing(outcome: &Outcome) -> MergeError {
    let exit_code = outcome.parts.iter().find_map(|part| match &part.ended {
        Ended::Failed(failure) => Some(failure.exit_code),
        _ => None,
    });
    MergeError::NoReport { reasons: outcome.parts.iter().filter_map(spoils).collect::<Vec<_>>().join("; "), exit_code }
}

fn same(first: &Report, one: &One<'_>) -> Result<(), MergeError> {
    let differs = |what| Err(MergeError::Differs { index: one.index, what });
    match () {
        () if one.report.schema != first.schema => differs("schema"),
        () if one.report.scenario != first.scenario => differs("scenario"),
        () if one.report.seed != first.seed => differs("seed"),
        () => Ok(()),
    }
}

/// The workers' own hashes in the order of their indices: the same run on the same number of workers has the same.
fn schedule_hash(reports: &[One<'_>]) -> String {
    let hash = reports.iter().fold(Sha256::new(), |hash, one| hash.chain_update(&one.report.schedule_hash).chain_update("\n"));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Phases of one name are one, from the first worker's beginning to the last one's end. A name that comes twice stays two.
fn phases(reports: &[One<'_>]) -> Result<Vec<PhaseSummary>, MergeError> {
    let most = reports.iter().map(|one| one.report.phases.len()).max().unwrap_or(0);
    let mut merged = Vec::with_capacity(most);
    for place in 0..most {
        let Some(example) = reports.iter().find_map(|one| one.report.phases.get(place)) else { continue };
        let same = |report: &Report| report.phases.get(place).filter(|phase| phase.phase == example.phase).cloned();
        let these: Vec<PhaseSummary> = reports.iter().filter_map(|one| same(one.report)).collect();
        merged.push(PhaseSummary {
            phase: example.phase.clone(),
            from_s: these.iter().map(|phase| phase.from_s).fold(f64::INFINITY, f64::min),
            to_s: these.iter().map(|phase| phase.to_s).fold(0.0, f64::max),
            metrics: metrics::merge_maps(reports.iter().filter_map(|one| {
                let phase = one.report.phases.get(place).filter(|phase| phase.phase == example.phase)?;
                Some((one.index, &phase.metrics))
            }))?,
        });
    }
    Ok(merged)
}

fn generator(reports: &[One<'_>], outcome: &Outcome) -> Generator {
    let (lag_p50_ms, lag_p99_ms) = slowest_lag(reports);
    let wall = outcome.parts.iter().map(|part| part.wall_offset_ms).max_by_key(|offset| offset.abs()).unwrap_or(0);
    let error_us = outcome.parts.iter().map(|part| part.clock_error_us).max().unwrap_or(0);
    Generator {
        lag_p50_ms,
        lag_p99_ms,
        cpu_busy: series::by_machine(reports, |report| report.generator.cpu_busy),
        rss_bytes: reports.iter().map(|one| one.report.generator.rss_bytes).sum(),
        workers: u32::try_from(outcome.parts.len()).unwrap_or(u32::MAX),
        clock_offset_ms: wall as f64,
        clock_error_ms: error_us as f64 / 1000.0,
    }
}

fn warnings(reports: &[One<'_>]) -> Vec<String> {
    let mut warnings: Vec<String> = reports.iter().flat_map(|one| one.report.environment.warnings.clone()).collect();
    warnings.sort();
    warnings.dedup();
    warnings
}
