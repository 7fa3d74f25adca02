//! What a run found, as data: the one thing that every output (JSON, HTML, JUnit, markdown, terminal) is made from.
//!
//! Keys are stable: scripts read them. A change of meaning raises [`SCHEMA`]. Nothing here knows how it is shown.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub const SCHEMA: u32 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Pass,
    Fail,
    /// The generator was the limit: the figures say nothing about the server.
    Invalid,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    pub schema: u32,
    /// Name of the scenario, or of the scenario file.
    pub scenario: String,
    pub verdict: Verdict,
    pub exit_code: u8,
    /// Why the verdict is what it is, worst first; empty for a pass.
    pub reasons: Vec<String>,
    pub seed: u64,
    /// The same seed, plan and people give the same text.
    pub schedule_hash: String,
    /// RFC 3339, when the run began.
    pub began_at: String,
    pub duration_s: f64,
    pub counts: Counts,
    /// Sockets that did not open, by class; with `opened` they sum to `asked`.
    pub not_opened: BTreeMap<String, u64>,
    /// Requests and commands that failed or were refused, by class (`rate_limited`, `timeout`, `http_503` …).
    pub failures: BTreeMap<String, u64>,
    /// What was meant to be refused, lost or shed (a fault's sockets, an abusive person's commands), by class: no failures.
    #[serde(default)]
    pub expected: BTreeMap<String, u64>,
    pub latency_ms: Latencies,
    /// Every measured metric over the whole measured time, by its name (`ack`, `delivery`, `call.setup` …).
    pub metrics: BTreeMap<String, MetricSummary>,
    /// The same per phase (`warmup`, `steady`, `stress`, `fault`, `recovery`, `after`).
    pub phases: Vec<PhaseSummary>,
    pub slo: Vec<SloResult>,
    /// One row a second from the first intended moment.
    pub series: Vec<Second>,
    /// Faults and phase changes on the series' time axis.
    pub marks: Vec<Mark>,
    pub server: ServerCost,
    /// None where the run was too short for a trend.
    #[serde(default)]
    pub drift: Option<Drift>,
    pub generator: Generator,
    pub environment: Environment,
    /// The plan as it ran, so that a report can be repeated.
    pub plan: serde_json::Value,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    pub asked: u64,
    pub opened: u64,
    /// Intended events whose moment came but which nobody could send any more (a person whose socket was gone for good).
    pub never_tried: u64,
    pub sent: u64,
    pub acked: u64,
    pub refused: u64,
    pub delivered: u64,
    // Violations: each class of the correctness ledger.
    pub lost: u64,
    pub phantom: u64,
    pub duplicated: u64,
    pub reordered: u64,
    pub corrupted: u64,
    pub misdelivered: u64,
    pub stale_access: u64,
    /// A hole in a receiver's stream that the server never filled.
    pub gaps: u64,
    /// The history changed under the reader: another hash at the same place, or a cursor the server denies.
    pub forked: u64,
    /// `at_ms` of entries going back.
    pub clock: u64,
    pub ghost_calls: u64,
    pub oversold: u64,
    /// Bookings that were confirmed and are gone, or refused while places were free.
    pub undersold: u64,
    /// Orders whose money does not add up.
    pub money: u64,
    /// Answers that stayed out and that the final read could not settle. Not a violation.
    pub indeterminate: u64,
}

impl Counts {
    /// Name and count of each violation class, in the order of the ledger.
    pub fn violations(&self) -> [(&'static str, u64); 14] {
        [
            ("lost", self.lost),
            ("phantom", self.phantom),
            ("duplicated", self.duplicated),
            ("reordered", self.reordered),
            ("corrupted", self.corrupted),
            ("misdelivered", self.misdelivered),
            ("stale_access", self.stale_access),
            ("gaps", self.gaps),
            ("forked", self.forked),
            ("clock", self.clock),
            ("ghost_calls", self.ghost_calls),
            ("oversold", self.oversold),
            ("undersold", self.undersold),
            ("money", self.money),
        ]
    }

    pub fn violation_count(&self) -> u64 {
        self.violations().iter().map(|(_, count)| count).sum()
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Latencies {
    pub ack: Percentiles,
    pub delivery: Percentiles,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MetricSummary {
    pub count: u64,
    pub mean_ms: f64,
    pub percentiles_ms: Percentiles,
    /// The histogram itself in HdrHistogram's V2 form, base64: reports can be merged and compared exactly.
    pub histogram: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PhaseSummary {
    pub phase: String,
    pub from_s: f64,
    pub to_s: f64,
    pub metrics: BTreeMap<String, MetricSummary>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SloResult {
    /// As written in the plan, `delivery.p99 < 25ms during steady`, or a scenario's own expectation.
    pub rule: String,
    /// NaN, and null in JSON, where there was nothing to measure.
    #[serde(deserialize_with = "null_is_nan")]
    pub measured: f64,
    pub held: bool,
}

fn null_is_nan<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Second {
    /// Seconds after the first intended moment.
    pub at_s: u32,
    pub sent: u64,
    pub acked: u64,
    pub delivered: u64,
    pub failed: u64,
    pub in_flight: u64,
    pub sockets: u64,
    /// Of what was intended in this second; 0 where nothing was.
    pub ack_p50_ms: f64,
    pub ack_p99_ms: f64,
    pub ack_max_ms: f64,
    pub delivery_p50_ms: f64,
    pub delivery_p99_ms: f64,
    pub lag_p99_ms: f64,
    pub load1: f64,
    /// Part of all cores that the hypervisor took, 0 to 1.
    pub steal: f64,
    /// Busy part of the cores the generator may use, 0 to 1.
    pub generator_cpu: f64,
    /// Cores the server kept busy: 1 is one whole core.
    pub server_cpu: f64,
    pub server_rss_bytes: u64,
    pub server_files: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mark {
    pub at_s: f64,
    /// `kill9`, `ready`, `all current`, `warmup ends` …
    pub what: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ServerCost {
    pub rss_bytes: u64,
    pub rss_max_bytes: u64,
    pub cpu_seconds: f64,
    /// Growth from before the first socket, divided by the sockets.
    pub rss_per_socket_bytes: u64,
}

/// Trends over the measured time.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Drift {
    /// Slope of the server's memory.
    pub rss_bytes_per_hour: f64,
    /// What that slope makes over the measured time, of what the server had at its beginning.
    pub rss_percent: f64,
    /// Open files of the server, last tenth of the time less the first.
    pub files: f64,
    /// Mean of the seconds' 99th percentiles in the first and in the last tenth; 0 where nothing was acknowledged.
    pub ack_p99_first_ms: f64,
    pub ack_p99_last_ms: f64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Generator {
    /// How late events left after their intended moment.
    pub lag_p50_ms: f64,
    pub lag_p99_ms: f64,
    /// Busy part of the cores it may use, 0 to 1, over the measured time.
    pub cpu_busy: f64,
    pub rss_bytes: u64,
    pub workers: u32,
    /// Worst difference of a worker's clock to the coordinator's, with the error of that estimate.
    pub clock_offset_ms: f64,
    pub clock_error_ms: f64,
}

/// What a reader has to know before he believes a figure.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Environment {
    pub loadtest_version: String,
    pub git: String,
    pub command: String,
    pub kernel: String,
    pub cpu: String,
    pub cores: u32,
    pub memory_bytes: u64,
    pub files_max: u64,
    pub server_version: String,
    /// Findings of the preflight that the run went on with.
    pub warnings: Vec<String>,
}

/// What is known while the run goes on, once a second: for the dashboard, the plain lines and the Prometheus endpoint.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Live {
    pub scenario: String,
    /// `connecting`, then the phases, then `reading back`.
    pub phase: String,
    pub targets: Vec<String>,
    pub users: u64,
    pub elapsed_s: f64,
    /// Of the phases with load; 0 where it is open-ended.
    pub total_s: f64,
    pub second: Second,
    /// The newest last; two minutes at most.
    pub recent: Vec<Second>,
    pub counts: Counts,
    pub not_opened: BTreeMap<String, u64>,
    pub failures: BTreeMap<String, u64>,
    /// Over the measured time so far.
    pub metrics_ms: BTreeMap<String, Percentiles>,
    pub marks: Vec<Mark>,
}
