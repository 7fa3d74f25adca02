//! What a run says: lines for people, JSON with stable keys for scripts.

pub mod data;

use crate::cli::{EXIT_INCORRECT, EXIT_INVALID, EXIT_PASS, EXIT_TARGET};
use crate::ledger::{Counts, Ledger};
use crate::measure::Percentiles;
use crate::server::Usage;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Above this the generator, not the server, decided the latencies.
const SCHEDULE_LAG_P99_MS_MAX: f64 = 5.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Pass,
    Fail,
    Invalid,
}

#[derive(Debug, Serialize)]
pub struct Report {
    pub schema: u32,
    pub scenario: &'static str,
    pub verdict: Verdict,
    pub exit_code: u8,
    pub seed: u64,
    pub schedule_hash: String,
    pub duration_s: f64,
    pub counts: Counts,
    /// Sockets that did not open, by class; with `opened` they sum to `asked`.
    pub not_opened: BTreeMap<&'static str, u64>,
    pub latency_ms: LatencyMs,
    pub server: ServerCost,
    pub generator: Generator,
    #[serde(skip)]
    pub json: Option<PathBuf>,
}

#[derive(Debug, Default, Serialize)]
pub struct LatencyMs {
    pub ack: Percentiles,
    pub delivery: Percentiles,
}

#[derive(Debug, Default, Serialize)]
pub struct ServerCost {
    pub rss_bytes: u64,
    pub cpu_seconds: f64,
    /// Growth from before the first socket, divided by the sockets.
    pub rss_per_socket_bytes: u64,
}

#[derive(Debug, Default, Serialize)]
pub struct Generator {
    pub lag_p99_ms: f64,
}

impl ServerCost {
    pub fn between(before: Option<Usage>, after: Option<Usage>, sockets: u64) -> Self {
        let (Some(before), Some(after)) = (before, after) else { return Self::default() };
        Self {
            rss_bytes: after.rss_bytes,
            cpu_seconds: after.cpu_seconds - before.cpu_seconds,
            rss_per_socket_bytes: after.rss_bytes.saturating_sub(before.rss_bytes) / sockets.max(1),
        }
    }
}

/// A correctness failure wins over everything; then a run whose generator was the limit; then sockets that did not open.
pub fn judge(ledger: &Ledger, not_opened: &BTreeMap<&'static str, u64>, lag_p99_ms: f64) -> (Verdict, u8) {
    if ledger.counts.violations() > 0 {
        (Verdict::Fail, EXIT_INCORRECT)
    } else if lag_p99_ms > SCHEDULE_LAG_P99_MS_MAX || not_opened.contains_key("generator_limit") {
        (Verdict::Invalid, EXIT_INVALID)
    } else if !not_opened.is_empty() {
        (Verdict::Fail, EXIT_TARGET)
    } else {
        (Verdict::Pass, EXIT_PASS)
    }
}

impl Report {
    #[allow(clippy::print_stdout)] // the report is the program's output
    pub fn print(&self) {
        let Counts { asked, opened, sent, acked, delivered, .. } = self.counts;
        println!("scenario {}  seed {}  schedule {}", self.scenario, self.seed, self.schedule_hash);
        println!("sockets  asked {asked}  opened {opened}  not opened {:?}", self.not_opened);
        if sent > 0 {
            println!("messages sent {sent}  acked {acked} ({:.0}/s)  delivered {delivered}", acked as f64 / self.duration_s.max(0.001));
            for (name, p) in [("ack", self.latency_ms.ack), ("delivery", self.latency_ms.delivery)] {
                println!("{name:<9}p50 {:.1} ms  p90 {:.1}  p99 {:.1}  p99.9 {:.1}  max {:.1}", p.p50, p.p90, p.p99, p.p999, p.max);
            }
            let c = self.counts;
            println!(
                "checked  lost {}  phantom {}  duplicated {}  reordered {}  corrupted {}  misdelivered {}  indeterminate {}  refused {}",
                c.lost, c.phantom, c.duplicated, c.reordered, c.corrupted, c.misdelivered, c.indeterminate, c.refused
            );
            println!("generator schedule lag p99 {:.2} ms", self.generator.lag_p99_ms);
        }
        if self.server.rss_bytes > 0 {
            let s = &self.server;
            println!(
                "server   rss {:.1} MiB  {} bytes a socket  cpu {:.1} s",
                s.rss_bytes as f64 / 1048576.0,
                s.rss_per_socket_bytes,
                s.cpu_seconds
            );
        }
        println!("verdict  {:?}", self.verdict);
        if let Some(path) = &self.json {
            let text = serde_json::to_string_pretty(self).unwrap_or_default();
            if let Err(error) = std::fs::write(path, text) {
                eprintln!("loadtest: the report could not be written to {}: {error}", path.display());
            }
        }
    }
}
