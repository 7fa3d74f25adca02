//! Sums and worst cases of what is not a histogram.

use super::One;
use crate::report::data::{Counts, Mark, ServerCost};
use std::collections::BTreeMap;

/// Marks of one name closer than this are one event that every worker saw.
const SAME_MARK_WITHIN_S: f64 = 1.0;

/// By way of JSON, so that a class that is added later is summed as well.
pub(super) fn added<'a>(counts: impl Iterator<Item = &'a Counts>) -> Counts {
    let mut sum: BTreeMap<String, u64> = BTreeMap::new();
    for count in counts {
        let fields = serde_json::to_value(count).expect("counts are a struct of integers");
        for (field, value) in fields.as_object().into_iter().flatten() {
            *sum.entry(field.clone()).or_default() += value.as_u64().unwrap_or_default();
        }
    }
    serde_json::to_value(sum).and_then(serde_json::from_value).expect("the fields are those of counts")
}

pub(super) fn added_maps<'a>(maps: impl Iterator<Item = &'a BTreeMap<String, u64>>) -> BTreeMap<String, u64> {
    let mut sum = BTreeMap::new();
    for (class, count) in maps.flatten() {
        *sum.entry(class.clone()).or_default() += count;
    }
    sum
}

pub(super) fn marks(reports: &[One<'_>]) -> Vec<Mark> {
    merge_marks(reports.iter().flat_map(|one| one.report.marks.clone()).collect())
}

pub(super) fn merge_marks(mut marks: Vec<Mark>) -> Vec<Mark> {
    marks.sort_by(|left, right| left.at_s.total_cmp(&right.at_s));
    let mut merged: Vec<Mark> = Vec::new();
    for mark in marks {
        let seen = merged.iter().rev().any(|other| other.what == mark.what && mark.at_s - other.at_s < SAME_MARK_WITHIN_S);
        if !seen {
            merged.push(mark);
        }
    }
    merged
}

/// Every worker on the server's machine reads the same process; its growth is divided by the sockets of all.
pub(super) fn server(reports: &[One<'_>]) -> ServerCost {
    let opened: u64 = reports.iter().map(|one| one.report.counts.opened).sum();
    let growth = reports.iter().map(|one| one.report.server.rss_per_socket_bytes * one.report.counts.opened).max().unwrap_or(0);
    let most = |of: fn(&ServerCost) -> u64| reports.iter().map(|one| of(&one.report.server)).max().unwrap_or(0);
    ServerCost {
        rss_bytes: most(|server| server.rss_bytes),
        rss_max_bytes: most(|server| server.rss_max_bytes),
        cpu_seconds: reports.iter().map(|one| one.report.server.cpu_seconds).fold(0.0, f64::max),
        rss_per_socket_bytes: growth / opened.max(1),
    }
}

/// Of the worker that was latest.
pub(super) fn slowest_lag(reports: &[One<'_>]) -> (f64, f64) {
    let worst = |of: fn(&One<'_>) -> f64| reports.iter().map(of).fold(0.0, f64::max);
    (worst(|one| one.report.generator.lag_p50_ms), worst(|one| one.report.generator.lag_p99_ms))
}
