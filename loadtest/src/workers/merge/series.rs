//! Rows of the same second as one row.

use super::One;
use crate::report::data::{Report, Second};
use std::collections::BTreeMap;

pub(super) fn merge(reports: &[One<'_>]) -> Vec<Second> {
    let mut rows: BTreeMap<u32, Vec<(&str, &Second)>> = BTreeMap::new();
    for one in reports {
        for second in &one.report.series {
            rows.entry(second.at_s).or_default().push((one.machine, second));
        }
    }
    rows.into_iter().map(|(at_s, seconds)| row(at_s, &seconds)).collect()
}

/// One worker's part of a row beside the machine it runs on.
pub(super) fn row(at_s: u32, seconds: &[(&str, &Second)]) -> Second {
    let sum = |of: fn(&Second) -> u64| seconds.iter().map(|(_, second)| of(second)).sum();
    let worst = |of: fn(&Second) -> f64| seconds.iter().map(|(_, second)| of(second)).fold(0.0, f64::max);
    let most = |of: fn(&Second) -> u64| seconds.iter().map(|(_, second)| of(second)).max().unwrap_or(0);
    Second {
        at_s,
        sent: sum(|second| second.sent),
        acked: sum(|second| second.acked),
        delivered: sum(|second| second.delivered),
        failed: sum(|second| second.failed),
        in_flight: sum(|second| second.in_flight),
        sockets: sum(|second| second.sockets),
        ack_p50_ms: worst(|second| second.ack_p50_ms),
        ack_p99_ms: worst(|second| second.ack_p99_ms),
        ack_max_ms: worst(|second| second.ack_max_ms),
        delivery_p50_ms: worst(|second| second.delivery_p50_ms),
        delivery_p99_ms: worst(|second| second.delivery_p99_ms),
        lag_p99_ms: worst(|second| second.lag_p99_ms),
        load1: worst(|second| second.load1),
        steal: worst(|second| second.steal),
        generator_cpu: busiest(seconds.iter().map(|(machine, second)| (*machine, second.generator_cpu))),
        server_cpu: worst(|second| second.server_cpu),
        server_rss_bytes: most(|second| second.server_rss_bytes),
        server_files: most(|second| second.server_files),
    }
}

/// Workers of one machine share its cores, so theirs add up; the busiest machine counts.
pub(super) fn by_machine(reports: &[One<'_>], of: impl Fn(&Report) -> f64) -> f64 {
    busiest(reports.iter().map(|one| (one.machine, of(one.report))))
}

fn busiest<'a>(parts: impl Iterator<Item = (&'a str, f64)>) -> f64 {
    let mut machines: BTreeMap<&str, f64> = BTreeMap::new();
    for (machine, busy) in parts {
        *machines.entry(machine).or_default() += busy;
    }
    machines.into_values().fold(0.0, f64::max)
}
