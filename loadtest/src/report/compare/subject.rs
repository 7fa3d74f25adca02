//! What can be compared: a percentile of any metric (in a phase), or a mean of the series. `ack.p99`, `call.setup.p50 during recovery`,
//! `acked.rate`, `delivered.rate`, `failed.share`, `server.cpu`.
//!
//! Without a phase both reports are read where it was calm, so that a fault does not blur what the code costs.

use crate::measure::{Histogram, Metric, Phase};
use crate::report::data::{PhaseSummary, Report, Second};
use crate::report::words;
use std::fmt;
use std::str::FromStr;

#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    Latency { metric: String, quantile: f64, phase: Option<&'static str> },
    AckedRate,
    DeliveredRate,
    FailedShare,
    ServerCpu,
}

/// What a report says about a subject, with what an interval is drawn from.
#[derive(Debug)]
pub enum Measured {
    Latency {
        histogram: Histogram,
        quantile: f64,
        seconds: Vec<f64>,
    },
    /// One value a second.
    Mean(Vec<f64>),
}

impl Measured {
    pub fn value(&self) -> f64 {
        match self {
            Self::Latency { histogram, quantile, .. } => histogram.quantile_ms(*quantile),
            Self::Mean(values) => values.iter().sum::<f64>() / values.len().max(1) as f64,
        }
    }
}

impl Subject {
    /// Everything worth comparing in a report of this kind.
    pub fn usual(report: &Report) -> Vec<Self> {
        let percentiles = |metric: &str| [0.5, 0.99].map(|quantile| Self::Latency { metric: metric.to_owned(), quantile, phase: None });
        let mut subjects: Vec<Self> = words::leading(report).into_iter().flat_map(percentiles).collect();
        subjects.extend([Self::AckedRate, Self::DeliveredRate, Self::FailedShare, Self::ServerCpu]);
        subjects
    }

    pub fn is_latency(&self) -> bool {
        matches!(self, Self::Latency { .. })
    }

    /// Compared by difference: the base is often zero.
    pub fn is_share(&self) -> bool {
        matches!(self, Self::FailedShare)
    }

    pub fn more_is_better(&self) -> bool {
        matches!(self, Self::AckedRate | Self::DeliveredRate)
    }

    pub fn show(&self, value: f64) -> String {
        match self {
            Self::Latency { .. } => words::ms(value),
            Self::AckedRate | Self::DeliveredRate => words::per_second(value),
            Self::FailedShare => words::percent(value),
            Self::ServerCpu => format!("{} cores", words::trimmed(value, 3)),
        }
    }

    /// None where the report has nothing of it.
    pub fn measure(&self, report: &Report) -> Option<Measured> {
        let rows = |phase| measured_seconds(report, phase);
        let mean = |of: fn(&Second) -> f64| {
            let values: Vec<f64> = rows(None).into_iter().map(of).collect();
            values.iter().any(|value| *value > 0.0).then_some(Measured::Mean(values))
        };
        match self {
            Self::Latency { metric, quantile, phase } => {
                let histogram = histogram(report, metric, *phase).filter(|histogram| histogram.count() >= 100)?;
                // Only these have their percentiles in the series; for others the acknowledgement says how much seconds differ.
                let of: fn(&Second) -> f64 = match (metric.as_str(), *quantile < 0.9) {
                    ("delivery", true) => |row| row.delivery_p50_ms,
                    ("delivery", false) => |row| row.delivery_p99_ms,
                    (_, true) => |row| row.ack_p50_ms,
                    (_, false) => |row| row.ack_p99_ms,
                };
                let seconds = rows(*phase).into_iter().map(of).filter(|value| *value > 0.0).collect();
                Some(Measured::Latency { histogram, quantile: *quantile, seconds })
            }
            Self::AckedRate => mean(|row| row.acked as f64),
            Self::DeliveredRate => mean(|row| row.delivered as f64),
            Self::ServerCpu => mean(|row| row.server_cpu),
            // No failure at all is a measurement too.
            Self::FailedShare => {
                let part = |row: &&Second| row.failed as f64 / (row.sent.max(row.failed).max(1)) as f64;
                let values: Vec<f64> = rows(None).iter().filter(|row| row.sent + row.failed > 0).map(part).collect();
                (!values.is_empty()).then_some(Measured::Mean(values))
            }
        }
    }
}

/// The phases a comparison reads: the named one, else the calm ones.
fn phases<'a>(report: &'a Report, phase: Option<&'a str>) -> impl Iterator<Item = &'a PhaseSummary> {
    let name = phase.unwrap_or(Phase::Steady.name());
    report.phases.iter().filter(move |summary| summary.phase == name)
}

fn histogram(report: &Report, metric: &str, phase: Option<&str>) -> Option<Histogram> {
    let mut whole = Histogram::new();
    for summary in phases(report, phase).filter_map(|phase| phase.metrics.get(metric)) {
        whole.add(&Histogram::from_base64(&summary.histogram)?);
    }
    match (whole.count(), phase) {
        // A report without phases, or a metric that was measured outside the calm: the whole run stands in.
        (0, None) => Histogram::from_base64(&report.metrics.get(metric)?.histogram),
        _ => Some(whole),
    }
}

/// Whole seconds inside the phases, from the first send to the last.
fn measured_seconds<'a>(report: &'a Report, phase: Option<&str>) -> Vec<&'a Second> {
    let spans: Vec<(f64, f64)> = phases(report, phase).map(|phase| (phase.from_s, phase.to_s)).collect();
    let inside = |row: &&Second| {
        let (from, to) = (f64::from(row.at_s), f64::from(row.at_s) + 1.0);
        spans.is_empty() || spans.iter().any(|span| from >= span.0 && to <= span.1)
    };
    let rows: Vec<&Second> = report.series.iter().filter(inside).collect();
    let first = rows.iter().position(|row| row.sent > 0);
    let last = rows.iter().rposition(|row| row.sent > 0);
    match (first, last) {
        (Some(first), Some(last)) => rows[first..=last].to_vec(),
        _ => rows,
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latency { metric, quantile, phase } => {
                let digits = words::trimmed(quantile * 1000.0, 0);
                let digits = digits.strip_suffix('0').unwrap_or(&digits);
                write!(f, "{metric}.p{digits}")?;
                phase.map_or(Ok(()), |phase| write!(f, " during {phase}"))
            }
            Self::AckedRate => f.write_str("acked.rate"),
            Self::DeliveredRate => f.write_str("delivered.rate"),
            Self::FailedShare => f.write_str("failed.share"),
            Self::ServerCpu => f.write_str("server.cpu"),
        }
    }
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (name, phase) = match words.as_slice() {
            [name] => (*name, None),
            [name, "during", phase] => (*name, Some(phase.parse::<Phase>()?.name())),
            _ => return Err(format!("{text:?} cannot be compared; write `ack.p99` or `ack.p99 during recovery`")),
        };
        let known = || {
            let metrics: Vec<&str> = Metric::ALL.iter().map(|metric| metric.name()).collect();
            format!(
                "{text:?} cannot be compared; there are {} with .p50 .p90 .p99 .p999, acked.rate, delivered.rate, failed.share, server.cpu",
                metrics.join(" ")
            )
        };
        let mean = [Self::AckedRate, Self::DeliveredRate, Self::FailedShare, Self::ServerCpu];
        if let Some(subject) = mean.into_iter().find(|subject| subject.to_string() == name) {
            return if phase.is_none() { Ok(subject) } else { Err(known()) };
        }
        let (metric, statistic) = name.rsplit_once('.').ok_or_else(known)?;
        let quantile = match statistic {
            "p50" => 0.5,
            "p90" => 0.9,
            "p99" => 0.99,
            "p999" => 0.999,
            _ => return Err(known()),
        };
        let metric = Metric::ALL.iter().find(|known| known.name() == metric).ok_or_else(known)?.name().to_owned();
        Ok(Self::Latency { metric, quantile, phase })
    }
}
