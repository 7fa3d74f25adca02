//! `loadtest capacity`: the largest rate that keeps the objective, then overload at 1.5 times of it, then how soon it recovers.

use super::{output, plan, server};
use crate::cli::{Capacity, EXIT_INCORRECT, EXIT_INFRASTRUCTURE, EXIT_INVALID, EXIT_PASS, EXIT_SLO};
use crate::clock::Clock;
use crate::people;
use crate::plan::{Plan, Rate, Slo, Span, Stage, Stages};
use crate::report::data::{Report, Second, Verdict};
use crate::run::{RunError, Setup, execute};
use crate::target::launched::Limits;
use serde::Serialize;

const OVERLOAD: f64 = 1.5;
/// A search doubles or steps up so often at most.
const PROBES_MAX: usize = 24;

/// What the search found.
#[derive(Debug, Serialize)]
struct Found {
    objective: String,
    /// Largest rate that kept it; 0 when not even the first did.
    rate_per_s: f64,
    acked_per_s: f64,
    probes: Vec<Probe>,
    overload: Option<Overload>,
}

#[derive(Clone, Debug, Serialize)]
struct Probe {
    rate_per_s: f64,
    acked_per_s: f64,
    ack_p50_ms: f64,
    ack_p99_ms: f64,
    verdict: Verdict,
    reasons: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Overload {
    rate_per_s: f64,
    /// Acknowledged a second under overload, and its part of the largest rate.
    goodput_per_s: f64,
    goodput_share: f64,
    /// Seconds after the load was taken back until the 99th percentile was within the objective for three seconds; none = not seen.
    recovered_after_s: Option<u32>,
    verdict: Verdict,
    reasons: Vec<String>,
}

pub(super) async fn run(options: Capacity) -> Result<u8, RunError> {
    let mut search = Search::open(options).await?;
    let found = search.largest().await?;
    found.show();
    if let Some(path) = &search.options.json {
        let text = serde_json::to_string_pretty(&found).unwrap_or_default();
        std::fs::write(path, text).map_err(|error| RunError::Infrastructure(format!("{}: {error}", path.display())))?;
    }
    Ok(found.exit_code())
}

struct Search {
    options: Capacity,
    installation: server::Installation,
    users: usize,
}

impl Search {
    async fn open(options: Capacity) -> Result<Self, RunError> {
        let mut installation = server::open(&options.server, Limits::Lifted).await?;
        let users = options.users.or(installation.people()).unwrap_or(1000);
        installation.mint(users).await?;
        Ok(Self { options, installation, users })
    }

    async fn largest(&mut self) -> Result<Found, RunError> {
        let mut probes = Vec::new();
        let (mut kept, mut broken) = (None::<Probe>, None::<f64>);
        let mut rate = self.options.start.0;
        while probes.len() < PROBES_MAX {
            let probe = self.probe(rate).await?;
            probe.show();
            let stop = probe.verdict == Verdict::Invalid;
            if probe.verdict == Verdict::Pass {
                kept = Some(probe.clone());
            } else {
                broken = Some(rate);
            }
            probes.push(probe);
            let low = kept.as_ref().map_or(0.0, |kept| kept.rate_per_s);
            rate = match broken {
                None => rate * (1.0 + self.options.step),
                Some(high) if stop || (high - low) / high <= self.options.refine => break,
                Some(high) => f64::midpoint(low, high),
            };
        }
        let overload = match &kept {
            Some(kept) => Some(self.overload(kept.rate_per_s).await?),
            None => None,
        };
        Ok(Found {
            objective: self.options.slo.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            rate_per_s: kept.as_ref().map_or(0.0, |kept| kept.rate_per_s),
            acked_per_s: kept.as_ref().map_or(0.0, |kept| kept.acked_per_s),
            probes,
            overload,
        })
    }

    async fn probe(&mut self, rate: f64) -> Result<Probe, RunError> {
        let length = Span(self.options.hold.0 + self.options.warmup.0);
        let slo = self.options.slo.clone();
        let report = self.once(Stages::constant(Rate(rate), length), self.options.warmup, slo).await?;
        Ok(Probe {
            rate_per_s: rate,
            acked_per_s: report.counts.acked as f64 / report.duration_s,
            ack_p50_ms: report.latency_ms.ack.p50,
            ack_p99_ms: report.latency_ms.ack.p99,
            verdict: report.verdict,
            reasons: report.reasons,
        })
    }

    async fn overload(&mut self, rate: f64) -> Result<Overload, RunError> {
        let hold = self.options.hold;
        let stage = |over, rate| Stage { over, rate_to: Rate(rate) };
        let stages = vec![
            stage(Span::seconds(0), rate * OVERLOAD),
            stage(hold, rate * OVERLOAD),
            stage(Span::seconds(0), rate),
            stage(Span(hold.0 * 2), rate),
        ];
        let report = self.once(Stages(stages), Span::default(), Vec::new()).await?;
        let step_down = u32::try_from(hold.0.as_secs()).unwrap_or(u32::MAX);
        let acked: u64 = report.series.iter().filter(|row| row.at_s < step_down).map(|row| row.acked).sum();
        let goodput = acked as f64 / hold.0.as_secs_f64();
        Ok(Overload {
            rate_per_s: rate * OVERLOAD,
            goodput_per_s: goodput,
            goodput_share: goodput / rate,
            recovered_after_s: recovered(&report.series, step_down, self.options.recovered_ms),
            verdict: report.verdict,
            reasons: report.reasons,
        })
    }

    async fn once(&mut self, stages: Stages, warmup: Span, slo: Vec<Slo>) -> Result<Report, RunError> {
        let options = &self.options;
        let plan =
            Plan { warmup, slo, connect_rate: options.connect_rate, ..plan::of_one(&options.scenario, self.users, stages, options.seed)? };
        let people = people::parse(&self.installation.lines, self.users)?;
        let (live, shown) = tokio::sync::watch::channel(crate::report::data::Live::default());
        let stop = tokio_util::sync::CancellationToken::new();
        drop(shown);
        let setup = Setup {
            plan,
            targets: self.installation.targets.clone(),
            people,
            clock: Clock::start(),
            server: self.installation.server.take(),
            environment: output::environment(Vec::new()),
            worker: (0, 1),
            gate: None,
            live,
            stop,
        };
        let (report, server) = execute(setup).await?;
        self.installation.server = server;
        Ok(report)
    }
}

fn recovered(series: &[Second], step_down_s: u32, within_ms: f64) -> Option<u32> {
    let after: Vec<&Second> = series.iter().filter(|row| row.at_s >= step_down_s).collect();
    after
        .windows(3)
        .find(|rows| rows.iter().all(|row| row.ack_p99_ms > 0.0 && row.ack_p99_ms <= within_ms))
        .map(|rows| rows[0].at_s - step_down_s)
}

impl Found {
    fn exit_code(&self) -> u8 {
        let worst = self.probes.iter().flat_map(|probe| &probe.reasons).chain(self.overload.iter().flat_map(|overload| &overload.reasons));
        let incorrect = self.overload.as_ref().is_some_and(|overload| overload.verdict == Verdict::Fail && is_incorrect(&overload.reasons));
        match () {
            () if incorrect || self.probes.iter().any(|probe| is_incorrect(&probe.reasons)) => EXIT_INCORRECT,
            () if self.rate_per_s > 0.0 => EXIT_PASS,
            () if self.probes.iter().any(|probe| probe.verdict == Verdict::Invalid) => EXIT_INVALID,
            () if worst.count() > 0 => EXIT_SLO,
            () => EXIT_INFRASTRUCTURE,
        }
    }

    #[allow(clippy::print_stdout)] // the answer to the command
    fn show(&self) {
        println!("capacity: {:.0}/s keeps {} ({:.0} acknowledged a second)", self.rate_per_s, self.objective, self.acked_per_s);
        if let Some(overload) = &self.overload {
            let recovered = overload.recovered_after_s.map_or("not seen".to_owned(), |seconds| format!("{seconds} s"));
            println!(
                "overload: at {:.0}/s {:.0} acknowledged a second ({:.0} % of the capacity); recovered after: {recovered}",
                overload.rate_per_s,
                overload.goodput_per_s,
                overload.goodput_share * 100.0
            );
        }
    }
}

impl Probe {
    #[allow(clippy::print_stdout)] // progress of a long command
    fn show(&self) {
        let reasons = self.reasons.join("; ");
        println!(
            "{:>9.0}/s  p50 {:>7.1} ms  p99 {:>7.1} ms  {:?} {reasons}",
            self.rate_per_s, self.ack_p50_ms, self.ack_p99_ms, self.verdict
        );
    }
}

fn is_incorrect(reasons: &[String]) -> bool {
    let classes = crate::report::data::Counts::default().violations();
    reasons.iter().any(|reason| reason.split_once(' ').is_some_and(|(_, class)| classes.iter().any(|(name, _)| *name == class)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_is_three_good_seconds_in_a_row_after_the_step_down() {
        let row = |at_s, ack_p99_ms| Second { at_s, ack_p99_ms, ..Second::default() };
        let series: Vec<Second> =
            [900.0, 900.0, 500.0, 20.0, 300.0, 20.0, 21.0, 19.0].iter().enumerate().map(|(at, p99)| row(at as u32, *p99)).collect();
        assert_eq!(recovered(&series, 2, 25.0), Some(3));
        assert_eq!(recovered(&series[..6], 2, 25.0), None);
    }
}
