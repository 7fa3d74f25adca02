//! Objectives: `delivery.p99 < 25ms during steady`, `failures.total <= 0`, `acked.rate >= 4900/s`.
//!
//! An unknown metric, statistic, phase or unit is an error when the plan is read.

use super::{Rate, Span};
use crate::measure::{Metric, Phase};
use crate::report::data::{MetricSummary, Report, SloResult};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::str::FromStr;

#[derive(Clone, Debug, PartialEq)]
pub struct Slo {
    text: String,
    subject: Subject,
    below: bool,
    or_equal: bool,
    /// Milliseconds for latencies, else the plain number.
    bound: f64,
    phase: Option<Phase>,
}

#[derive(Clone, Debug, PartialEq)]
enum Subject {
    Latency(Metric, Statistic),
    /// A key of `counts`.
    Count(String),
    /// Acknowledged or delivered a second over the measured time.
    PerSecond(&'static str),
    Failures(Option<String>),
    NotOpened,
    ServerRssMib,
    DriftRssPercent,
    DriftFiles,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Statistic {
    P50,
    P90,
    P95,
    P99,
    P999,
    Max,
    Mean,
}

impl Slo {
    pub fn judge(&self, report: &Report) -> SloResult {
        let measured = self.measure(report);
        let held = match (measured, self.below, self.or_equal) {
            (None, ..) => false,
            (Some(value), true, true) => value <= self.bound,
            (Some(value), true, false) => value < self.bound,
            (Some(value), false, true) => value >= self.bound,
            (Some(value), false, false) => value > self.bound,
        };
        SloResult { rule: self.text.clone(), measured: measured.unwrap_or(f64::NAN), held }
    }

    /// None where nothing of the kind was measured: an objective that nothing speaks for is not held.
    fn measure(&self, report: &Report) -> Option<f64> {
        match &self.subject {
            Subject::Latency(metric, statistic) => {
                let metrics = match self.phase {
                    None => &report.metrics,
                    Some(phase) => &report.phases.iter().find(|summary| summary.phase == phase.name())?.metrics,
                };
                metrics.get(metric.name()).filter(|summary| summary.count > 0).map(|summary| statistic.of(summary))
            }
            Subject::Count(key) => serde_json::to_value(&report.counts).ok()?.get(key)?.as_f64(),
            Subject::PerSecond(key) => {
                let count = if *key == "acked" { report.counts.acked } else { report.counts.delivered };
                Some(count as f64 / report.duration_s.max(0.001))
            }
            Subject::Failures(None) => Some(report.failures.values().sum::<u64>() as f64),
            Subject::Failures(Some(class)) => Some(report.failures.get(class).copied().unwrap_or(0) as f64),
            Subject::NotOpened => Some(report.not_opened.values().sum::<u64>() as f64),
            Subject::DriftRssPercent => report.drift.map(|drift| drift.rss_percent),
            Subject::DriftFiles => report.drift.map(|drift| drift.files),
            Subject::ServerRssMib => Some(report.server.rss_max_bytes as f64 / 1_048_576.0).filter(|mib| *mib > 0.0),
        }
    }
}

impl Statistic {
    fn of(self, summary: &MetricSummary) -> f64 {
        let p = summary.percentiles_ms;
        match self {
            Self::P50 => p.p50,
            Self::P90 => p.p90,
            Self::P95 => crate::measure::Histogram::from_base64(&summary.histogram).map_or(p.p99, |histogram| histogram.quantile_ms(0.95)),
            Self::P99 => p.p99,
            Self::P999 => p.p999,
            Self::Max => p.max,
            Self::Mean => summary.mean_ms,
        }
    }
}

impl FromStr for Slo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (subject, sign, bound, phase) = match words.as_slice() {
            [subject, sign, bound] => (*subject, *sign, *bound, None),
            [subject, sign, bound, "during", phase] => (*subject, *sign, *bound, Some(phase.parse::<Phase>()?)),
            _ => return Err(format!("{text:?} is not an objective; write `delivery.p99 < 25ms` or `… during recovery`")),
        };
        let (below, or_equal) = match sign {
            "<" => (true, false),
            "<=" => (true, true),
            ">" => (false, false),
            ">=" => (false, true),
            _ => return Err(format!("{sign:?} in {text:?} is not one of < <= > >=")),
        };
        let subject = Subject::parse(subject)?;
        let bound = match &subject {
            Subject::Latency(..) => bound.parse::<Span>()?.micros() as f64 / 1000.0,
            Subject::PerSecond(_) => bound.parse::<Rate>()?.0,
            _ => bound.parse::<f64>().map_err(|_| format!("{bound:?} in {text:?} is not a number"))?,
        };
        if phase.is_some() && !matches!(subject, Subject::Latency(..)) {
            return Err(format!("only latencies are known by phase, not {text:?}"));
        }
        Ok(Self { text: words.join(" "), subject, below, or_equal, bound, phase })
    }
}

impl Subject {
    fn parse(text: &str) -> Result<Self, String> {
        let known = || {
            let metrics: Vec<&str> = Metric::ALL.iter().map(|metric| metric.name()).collect();
            format!(
                "{text:?} is not a metric; there are {} with .p50 .p90 .p95 .p99 .p999 .max .mean, counts.NAME, acked.rate, delivered.rate, \
                 failures.total, failures.CLASS, not_opened.total, server.rss_mib, \
                 drift.rss_percent, drift.files",
                metrics.join(" ")
            )
        };
        let (name, statistic) = text.rsplit_once('.').ok_or_else(known)?;
        match (name, statistic) {
            ("counts", key) if is_count(key) => Ok(Self::Count(key.into())),
            ("acked", "rate") => Ok(Self::PerSecond("acked")),
            ("delivered", "rate") => Ok(Self::PerSecond("delivered")),
            ("failures", "total") => Ok(Self::Failures(None)),
            ("failures", class) => Ok(Self::Failures(Some(class.into()))),
            ("not_opened", "total") => Ok(Self::NotOpened),
            ("drift", "rss_percent") => Ok(Self::DriftRssPercent),
            ("drift", "files") => Ok(Self::DriftFiles),
            ("server", "rss_mib") => Ok(Self::ServerRssMib),
            _ => {
                let metric = Metric::ALL.iter().find(|metric| metric.name() == name).ok_or_else(known)?;
                let statistic = match statistic {
                    "p50" => Statistic::P50,
                    "p90" => Statistic::P90,
                    "p95" => Statistic::P95,
                    "p99" => Statistic::P99,
                    "p999" => Statistic::P999,
                    "max" => Statistic::Max,
                    "mean" => Statistic::Mean,
                    _ => return Err(known()),
                };
                Ok(Self::Latency(*metric, statistic))
            }
        }
    }
}

fn is_count(key: &str) -> bool {
    serde_json::to_value(crate::report::data::Counts::default()).is_ok_and(|counts| counts.get(key).is_some())
}

impl std::fmt::Display for Slo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Slo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Slo {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_metrics_phases_and_units_are_errors() {
        for right in [
            "delivery.p99 < 25ms during steady",
            "acked.rate >= 4900/s",
            "failures.total <= 0",
            "counts.lost <= 0",
            "call.setup.p99 < 1s",
            "drift.files <= 5",
        ] {
            assert!(right.parse::<Slo>().is_ok(), "{right}: {:?}", right.parse::<Slo>());
        }
        for wrong in [
            "latency.p99 < 25ms",
            "delivery.p98 < 25ms",
            "delivery.p99 < 25 parsecs",
            "delivery.p99 ~ 25ms",
            "delivery.p99 < 25ms during lunch",
            "counts.happy > 3",
            "acked.rate > 3/s during steady",
        ] {
            assert!(wrong.parse::<Slo>().is_err(), "{wrong}");
        }
    }
}
