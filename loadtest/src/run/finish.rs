//! The report: what was measured, and the verdict over it.

use super::Run;
use crate::cli::{EXIT_INCORRECT, EXIT_INVALID, EXIT_PASS, EXIT_SLO, EXIT_TARGET};
use crate::machine::probe::Probe;
use crate::plan::{Arrivals, Plan};
use crate::report::data::{Environment, Generator, Latencies, Report, SCHEMA, ServerCost, SloResult, Verdict};
use std::sync::{Mutex, PoisonError};

const CPU_BUSY_MAX: f64 = 0.7;
/// Classes that begin so are forgeries the server took for true: no failure to serve, but a failure of confidentiality.
pub const ACCEPTED: &str = "accepted_";

/// Costs before the first socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    server_rss_bytes: u64,
    server_cpu_seconds: f64,
}

impl Before {
    pub(super) fn take(probe: &Mutex<Probe>) -> Self {
        let mut probe = probe.lock().unwrap_or_else(PoisonError::into_inner);
        let sample = probe.sample();
        Self {
            server_rss_bytes: sample.server.map_or(0, |server| server.rss_bytes),
            server_cpu_seconds: sample.server.map_or(0.0, |server| server.cpu_seconds),
        }
    }
}

pub(super) fn report(
    run: &Run,
    probe: &Mutex<Probe>,
    before: Before,
    schedule_hash: String,
    environment: Environment,
    worker: (u32, u32),
) -> Report {
    let accounts = run.accounts().clone();
    let mut counts = run.ledger(|ledger| {
        ledger.settle();
        ledger.counts.clone()
    });
    (counts.asked, counts.opened, counts.never_tried) = (accounts.asked, accounts.opened, accounts.never_tried);
    let series = run.meters.series();
    let metrics = run.meters.summaries();
    let percentiles = |name: &str| metrics.get(name).map(|summary| summary.percentiles_ms).unwrap_or_default();
    let latency_ms = Latencies { ack: percentiles("ack"), delivery: percentiles("delivery") };
    let lag = run.meters.lag_ms();
    let warm = u32::try_from(run.plan.warmup.0.as_secs()).unwrap_or(u32::MAX);
    let end = u32::try_from(run.plan.length.0.as_secs()).unwrap_or(u32::MAX);
    let measured: Vec<_> = series.iter().filter(|row| row.at_s >= warm && row.at_s < end).collect();
    let cpu_busy = measured.iter().map(|row| row.generator_cpu).sum::<f64>() / measured.len().max(1) as f64;
    let server_rss = series.iter().rev().map(|row| row.server_rss_bytes).find(|rss| *rss > 0).unwrap_or(0);
    let steady_rss = measured.iter().rev().map(|row| row.server_rss_bytes).find(|rss| *rss > 0).unwrap_or(server_rss);
    let (rss_max_bytes, cpu_seconds, own) = {
        let mut probe = probe.lock().unwrap_or_else(PoisonError::into_inner);
        let own = probe.sample().generator.map_or(0, |own| own.rss_bytes);
        (probe.server_rss_max_bytes().unwrap_or(0), probe.server_cpu_seconds() - before.server_cpu_seconds, own)
    };
    let mut report = Report {
        schema: SCHEMA,
        scenario: run.plan.name.clone(),
        verdict: Verdict::Pass,
        exit_code: EXIT_PASS,
        reasons: Vec::new(),
        seed: run.plan.seed,
        schedule_hash,
        began_at: crate::clock::rfc3339_of_run(&run.clock, run.start_micros()),
        duration_s: run.plan.length.0.as_secs_f64(),
        server: ServerCost {
            rss_bytes: steady_rss,
            rss_max_bytes,
            cpu_seconds,
            rss_per_socket_bytes: steady_rss.saturating_sub(before.server_rss_bytes) / counts.opened.max(1),
        },
        counts,
        not_opened: accounts.not_opened,
        failures: run.meters.failures(),
        expected: run.meters.all_expected(),
        latency_ms,
        metrics,
        phases: run.meters.phases(run.end_micros()),
        slo: run.expectations(),
        series,
        marks: run.meters.marks(),
        drift: None,
        generator: Generator {
            lag_p50_ms: lag.p50,
            lag_p99_ms: lag.p99,
            cpu_busy,
            rss_bytes: own,
            workers: worker.1,
            ..Generator::default()
        },
        environment,
        plan: serde_json::to_value(&run.plan).unwrap_or_default(),
    };
    judge(&mut report, &run.plan);
    report
}

/// A correctness failure wins over everything; then a run whose generator was the limit; then a target that did not take the sockets;
/// then the objectives.
pub fn judge(report: &mut Report, plan: &Plan) {
    let seconds = |span: crate::plan::Span| u32::try_from(span.0.as_secs()).unwrap_or(u32::MAX);
    report.drift = crate::report::drift::of(&report.series, seconds(plan.warmup), seconds(plan.length));
    let planned: Vec<SloResult> = plan.slo.iter().map(|slo| slo.judge(report)).collect();
    // What a scenario expected of its own is judged already.
    report.slo.retain(|own| planned.iter().all(|result| result.rule != own.rule));
    report.slo.splice(0..0, planned);
    report.reasons.clear();
    let mut incorrect: Vec<String> =
        report.counts.violations().iter().filter(|(_, count)| *count > 0).map(|(class, count)| format!("{count} {class}")).collect();
    let accepted = report.failures.iter().filter(|(class, _)| class.starts_with(ACCEPTED));
    incorrect.extend(accepted.map(|(class, count)| format!("{count} {class}")));
    let invalid = limits_of_the_generator(report, plan);
    let mut closed: Vec<String> = report.not_opened.iter().map(|(class, count)| format!("{count} sockets not opened: {class}")).collect();
    let hung_up =
        |class: &str| class.starts_with("closed_") || matches!(class, "connection_broken" | "malformed_record" | "never_came_back");
    closed
        .extend(report.failures.iter().filter(|(class, _)| hung_up(class)).map(|(class, count)| format!("{count} sockets lost: {class}")));
    let missed: Vec<String> =
        report.slo.iter().filter(|slo| !slo.held).map(|slo| format!("{} (measured {:.3})", slo.rule, slo.measured)).collect();
    (report.verdict, report.exit_code) = match () {
        () if !incorrect.is_empty() => (Verdict::Fail, EXIT_INCORRECT),
        () if !invalid.is_empty() => (Verdict::Invalid, EXIT_INVALID),
        () if !closed.is_empty() => (Verdict::Fail, EXIT_TARGET),
        () if !missed.is_empty() => (Verdict::Fail, EXIT_SLO),
        () => (Verdict::Pass, EXIT_PASS),
    };
    report.reasons.extend(incorrect.into_iter().chain(invalid).chain(closed).chain(missed));
}

fn limits_of_the_generator(report: &Report, plan: &Plan) -> Vec<String> {
    let mut limits = Vec::new();
    if let Some(count) = report.not_opened.get("generator_limit").or_else(|| report.failures.get("generator_limit")) {
        limits.push(format!("{count} times this machine had no port or file left"));
    }
    if plan.parts.iter().all(|part| part.arrivals == Arrivals::Closed) {
        return limits; // a closed loop asks how fast both together are
    }
    let (lag, allowed) = (report.generator.lag_p99_ms, crate::report::words::lag_allowed_ms(report));
    if lag > allowed {
        limits.push(format!("events left {lag:.2} ms late (p99), the generator's doing; {allowed:.2} ms are allowed"));
    }
    if report.generator.cpu_busy > CPU_BUSY_MAX {
        limits.push(format!("the generator's cores were {:.0} % busy, more than 70 %", report.generator.cpu_busy * 100.0));
    }
    limits
}
