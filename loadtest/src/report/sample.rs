//! Reports for the tests of the outputs: one run with a kill in its middle that passed, one that failed, one that is invalid.
//! `LOADTEST_SAMPLES=DIR cargo test -p loadtest samples` writes every output of them, to be looked at.

use super::data::*;
use crate::measure::Histogram;
use crate::seed::Seeded;
use std::collections::BTreeMap;

const SECONDS: u32 = 120;
const USERS: u64 = 10_000;

/// A latency around `median_ms` with a long tail, in microseconds.
fn draw(random: &mut Seeded, median_ms: f64) -> u64 {
    let uniform = |random: &mut Seeded| (random.below(1 << 20) as f64 + 0.5) / f64::from(1 << 20);
    let normal: f64 = (0..6).map(|_| uniform(random)).sum::<f64>() * 2f64.sqrt() - 6.0 / 2f64.sqrt();
    let tail = if random.below(500) == 0 { 1.0 + 3.0 * uniform(random) } else { 1.0 };
    (median_ms * (0.35 * normal).exp() * tail * 1000.0) as u64
}

/// Where a second lies: before the kill, while the server is gone, in the storm of reconnects, after it.
fn phase(at_s: u32) -> &'static str {
    match at_s {
        0..10 => "warmup",
        10..50 => "steady",
        50..54 => "fault",
        54..64 => "recovery",
        _ => "after",
    }
}

struct Run {
    series: Vec<Second>,
    by_phase: BTreeMap<(&'static str, &'static str), Histogram>,
}

/// `median_ms` is the calm server's acknowledgement; `lag_ms` the generator's own lateness.
fn run(seed: u64, rate: u64, median_ms: f64, lag_ms: f64) -> Run {
    let mut random = Seeded::new(seed, "sample");
    let mut run = Run { series: Vec::new(), by_phase: BTreeMap::new() };
    for at_s in 0..SECONDS {
        let (factor, failing, sockets) = match phase(at_s) {
            "fault" => ((54 - at_s) as f64 * 1000.0 / median_ms, true, 0),
            "recovery" => (1.0 + 40.0 * (-(f64::from(at_s) - 54.0) / 2.0).exp(), false, USERS * u64::from(at_s - 53) / 10),
            "warmup" => (1.6, false, USERS),
            _ => (1.0, false, USERS),
        };
        let sent = rate - rate / 20 + random.below(rate as usize / 10) as u64;
        let (mut ack, mut delivery) = (Histogram::new(), Histogram::new());
        for _ in 0..200 {
            let micros = draw(&mut random, median_ms * factor) + (lag_ms * 1000.0) as u64;
            ack.record(micros);
            delivery.record(micros + draw(&mut random, 1.8));
        }
        for (name, histogram) in [("ack", &ack), ("delivery", &delivery)] {
            run.by_phase.entry((phase(at_s), name)).or_default().add(histogram);
        }
        let at = |histogram: &Histogram, quantile| histogram.quantile_ms(quantile);
        let answered = if failing { 0 } else { sent };
        let noise = random.below(100) as f64 / 1000.0;
        run.series.push(Second {
            at_s,
            sent,
            acked: answered,
            delivered: answered,
            failed: if failing { sent / 9 } else { 0 },
            in_flight: if failing { sent * u64::from(at_s - 49) } else { (sent as f64 * median_ms * factor / 1000.0) as u64 },
            sockets,
            ack_p50_ms: at(&ack, 0.5),
            ack_p99_ms: at(&ack, 0.99),
            ack_max_ms: ack.percentiles_ms().max,
            delivery_p50_ms: at(&delivery, 0.5),
            delivery_p99_ms: at(&delivery, 0.99),
            lag_p99_ms: lag_ms + 0.2 + noise * 2.0,
            load1: 1.1 + noise * 5.0,
            steal: noise / 20.0,
            generator_cpu: if lag_ms > 0.0 { 0.93 + noise / 2.0 } else { 0.41 + noise },
            server_cpu: if failing { 0.0 } else { 0.62 + noise },
            server_rss_bytes: if failing { 0 } else { (180 << 20) + sockets * 9_000 + u64::from(at_s) * 40_000 },
            server_files: if failing { 0 } else { 60 + sockets },
        });
    }
    run
}

fn report(run: Run, seed: u64) -> Report {
    let mut phases = Vec::new();
    for (name, from_s, to_s) in
        [("warmup", 0.0, 10.0), ("steady", 10.0, 50.0), ("fault", 50.0, 54.0), ("recovery", 54.0, 64.0), ("after", 64.0, 120.0)]
    {
        let own = run.by_phase.iter().filter(|((phase, _), _)| *phase == name);
        let metrics = own.map(|((_, metric), histogram)| ((*metric).to_owned(), histogram.summary())).collect();
        phases.push(PhaseSummary { phase: name.to_owned(), from_s, to_s, metrics });
    }
    let whole = |name: &str| {
        let mut sum = Histogram::new();
        for ((phase, metric), histogram) in &run.by_phase {
            if *metric == name && *phase != "warmup" {
                sum.add(histogram);
            }
        }
        sum.summary()
    };
    let metrics = BTreeMap::from([("ack".to_owned(), whole("ack")), ("delivery".to_owned(), whole("delivery"))]);
    let latency_ms = Latencies { ack: metrics["ack"].percentiles_ms, delivery: metrics["delivery"].percentiles_ms };
    let sent: u64 = run.series.iter().map(|row| row.sent).sum();
    let acked: u64 = run.series.iter().map(|row| row.acked).sum();
    let refused: u64 = run.series.iter().map(|row| row.failed).sum();
    Report {
        schema: SCHEMA,
        scenario: "reconnect".into(),
        verdict: Verdict::Pass,
        exit_code: 0,
        reasons: Vec::new(),
        seed,
        schedule_hash: "9f2c41d07ab35e68".into(),
        began_at: "2026-11-23T07:30:00Z".into(),
        duration_s: 121.4,
        counts: Counts { asked: USERS, opened: USERS, sent, acked, refused, delivered: acked, ..Counts::default() },
        not_opened: BTreeMap::new(),
        expected: BTreeMap::from([("closed_4009".into(), 3)]),
        failures: BTreeMap::from([("connection_lost".into(), refused.saturating_sub(120)), ("rate_limited".into(), 120)]),
        latency_ms,
        metrics,
        phases,
        slo: vec![
            SloResult { rule: "ack.p99 < 20ms during steady".into(), measured: 11.4, held: true },
            SloResult { rule: "delivery.p99 < 25ms during steady".into(), measured: 14.1, held: true },
            SloResult { rule: "failures.total <= 9000".into(), measured: refused as f64, held: true },
        ],
        series: run.series,
        marks: [(10.0, "warmup ends"), (50.0, "kill9"), (53.6, "ready"), (63.2, "all current")]
            .map(|(at_s, what)| Mark { at_s, what: what.into() })
            .to_vec(),
        server: ServerCost { rss_bytes: 281 << 20, rss_max_bytes: 290 << 20, cpu_seconds: 78.4, rss_per_socket_bytes: 9_120 },
        drift: None,
        generator: Generator {
            lag_p50_ms: 0.08,
            lag_p99_ms: 0.41,
            cpu_busy: 0.46,
            rss_bytes: 62 << 20,
            workers: 1,
            ..Generator::default()
        },
        environment: machine(),
        plan: serde_json::json!({ "scenario": "reconnect", "rate": 5000, "users": 10_000, "check": "full" }),
    }
}

fn machine() -> Environment {
    Environment {
        loadtest_version: "0.1.0".into(),
        git: "4ba7b24".into(),
        command: "loadtest run reconnect --target http://127.0.0.1:8080 --users 10000 --rate 5000/s --duration 120s --fault kill9@50s"
            .into(),
        kernel: "Linux 6.18.44".into(),
        cpu: "2 × Example CPU at 2.6 GHz".into(),
        cores: 2,
        memory_bytes: 8 << 30,
        files_max: 20_000,
        server_version: "0.1.0".into(),
        warnings: vec!["net.core.somaxconn is 128: a connect storm will be refused by the kernel".into()],
    }
}

/// A pass without a single second, for tests that fill in their own.
pub fn empty() -> Report {
    report(Run { series: Vec::new(), by_phase: BTreeMap::new() }, 1)
}

pub fn passed() -> Report {
    report(run(42, 5_000, 4.2, 0.0), 42)
}

pub fn failed() -> Report {
    let mut report = report(run(7, 5_000, 9.0, 0.0), 7);
    report.verdict = Verdict::Fail;
    report.exit_code = 4;
    report.counts.lost = 3;
    report.counts.misdelivered = 1;
    report.counts.opened -= 60;
    report.counts.indeterminate = 17;
    report.not_opened = BTreeMap::from([("generator_limit".into(), 12), ("timeout".into(), 48)]);
    report.slo[1].held = false;
    report.slo[1].measured = 31.7;
    report.reasons = vec![
        "3 messages were acknowledged and are not in any history".into(),
        "1 entry reached <somebody> who is not a member & could read it".into(),
        "delivery.p99 < 25ms during steady: 31.7 ms".into(),
    ];
    report
}

pub fn invalid() -> Report {
    let mut report = report(run(9, 18_000, 4.2, 38.0), 9);
    report.verdict = Verdict::Invalid;
    report.exit_code = 5;
    report.generator.lag_p99_ms = 38.6;
    report.generator.lag_p50_ms = 12.0;
    report.generator.cpu_busy = 0.96;
    report.reasons =
        vec!["events left 38.6 ms late (p99); 1 ms is allowed".into(), "the generator's core was 96 % busy; 70 % is allowed".into()];
    report
}

/// The moment `at_s` of a run, as the dashboard would see it.
pub fn live(report: &Report, at_s: usize) -> Live {
    let second = report.series[at_s].clone();
    let sum = |of: fn(&Second) -> u64| report.series[..=at_s].iter().map(of).sum();
    Live {
        scenario: report.scenario.clone(),
        phase: phase(second.at_s).to_owned(),
        targets: vec!["http://127.0.0.1:8080".into()],
        users: USERS,
        elapsed_s: at_s as f64 + 1.0,
        total_s: f64::from(SECONDS),
        recent: report.series[at_s.saturating_sub(119)..=at_s].to_vec(),
        counts: Counts {
            sent: sum(|row| row.sent),
            acked: sum(|row| row.acked),
            delivered: sum(|row| row.delivered),
            ..report.counts.clone()
        },
        not_opened: report.not_opened.clone(),
        failures: report.failures.clone(),
        metrics_ms: report.metrics.iter().map(|(name, metric)| (name.clone(), metric.percentiles_ms)).collect(),
        marks: report.marks.iter().filter(|mark| mark.at_s <= at_s as f64).cloned().collect(),
        second,
    }
}

#[test]
fn samples_can_be_looked_at() {
    let Some(folder) = std::env::var_os("LOADTEST_SAMPLES").map(std::path::PathBuf::from) else { return };
    for (name, report) in [("passed", passed()), ("failed", failed()), ("invalid", invalid())] {
        let write = |ending: &str, text: String| std::fs::write(folder.join(format!("{name}.{ending}")), text).unwrap();
        write("html", super::html::render(&report));
        write("json", super::json::write(&report));
        write("xml", super::junit::render(&report));
        write("md", super::markdown::render(&report));
        write("txt", super::lines::summary(&report));
    }
}
