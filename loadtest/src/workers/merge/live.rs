//! The pictures of the workers while the run goes on as one picture. Percentiles are the worst worker's.

use super::figures::{added, added_maps, merge_marks};
use super::series::row;
use crate::report::data::{Live, Percentiles, Second};
use std::collections::BTreeMap;

/// The first gives scenario, targets and length.
pub fn live(lives: &[&Live]) -> Live {
    let Some(first) = lives.first() else { return Live::default() };
    let mut recent: BTreeMap<u32, Vec<(&str, &Second)>> = BTreeMap::new();
    for second in lives.iter().flat_map(|live| &live.recent) {
        recent.entry(second.at_s).or_default().push(("", second));
    }
    let newest = lives.iter().map(|live| live.second.at_s).max().unwrap_or(0);
    let seconds: Vec<(&str, &Second)> = lives.iter().map(|live| ("", &live.second)).collect();
    let latest = lives.iter().max_by(|left, right| left.elapsed_s.total_cmp(&right.elapsed_s)).unwrap_or(first);
    Live {
        scenario: first.scenario.clone(),
        // Until the last has begun, the run has not.
        phase: lives.iter().find(|live| live.phase == "connecting").unwrap_or(latest).phase.clone(),
        targets: first.targets.clone(),
        users: first.users,
        elapsed_s: latest.elapsed_s,
        total_s: first.total_s,
        second: row(newest, &seconds),
        recent: recent.into_iter().map(|(at_s, seconds)| row(at_s, &seconds)).collect(),
        counts: added(lives.iter().map(|live| &live.counts)),
        not_opened: added_maps(lives.iter().map(|live| &live.not_opened)),
        failures: added_maps(lives.iter().map(|live| &live.failures)),
        metrics_ms: percentiles(lives),
        marks: merge_marks(lives.iter().flat_map(|live| live.marks.clone()).collect()),
    }
}

fn percentiles(lives: &[&Live]) -> BTreeMap<String, Percentiles> {
    let mut worst: BTreeMap<String, Percentiles> = BTreeMap::new();
    for (metric, found) in lives.iter().flat_map(|live| &live.metrics_ms) {
        let row = worst.entry(metric.clone()).or_default();
        *row = Percentiles {
            p50: row.p50.max(found.p50),
            p90: row.p90.max(found.p90),
            p99: row.p99.max(found.p99),
            p999: row.p999.max(found.p999),
            max: row.max.max(found.max),
        };
    }
    worst
}
