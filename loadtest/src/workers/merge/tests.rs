use super::*;
use crate::measure::Histogram;
use crate::report::data::{Counts, Mark, MetricSummary, SCHEMA, Second, ServerCost, SloResult};

fn histogram(values: impl IntoIterator<Item = u64>) -> Histogram {
    let mut histogram = Histogram::new();
    values.into_iter().for_each(|value| histogram.record(value));
    histogram
}

fn measured(values: impl IntoIterator<Item = u64>) -> MetricSummary {
    histogram(values).summary()
}

fn report(values: impl IntoIterator<Item = u64>) -> Report {
    let metrics: std::collections::BTreeMap<String, MetricSummary> = [("ack".to_owned(), measured(values))].into();
    Report {
        schema: SCHEMA,
        scenario: "text".into(),
        verdict: Verdict::Pass,
        exit_code: 0,
        reasons: Vec::new(),
        seed: 7,
        schedule_hash: "aa".into(),
        began_at: String::new(),
        duration_s: 10.0,
        counts: Counts { asked: 10, opened: 9, sent: 5, ..Counts::default() },
        not_opened: [("timeout".to_owned(), 1)].into(),
        failures: [("rate_limited".to_owned(), 2)].into(),
        expected: [("closed_4009".to_owned(), 1)].into(),
        latency_ms: Latencies::default(),
        phases: vec![PhaseSummary { phase: "steady".into(), from_s: 1.0, to_s: 9.0, metrics: metrics.clone() }],
        metrics,
        slo: vec![SloResult { rule: "of one worker".into(), measured: 0.0, held: false }],
        series: Vec::new(),
        marks: Vec::new(),
        server: ServerCost::default(),
        drift: None,
        generator: Generator { lag_p99_ms: 0.2, cpu_busy: 0.3, rss_bytes: 100, workers: 1, ..Generator::default() },
        environment: Default::default(),
        plan: serde_json::Value::Null,
    }
}

fn part(index: u32, machine: &str, ended: Ended) -> Part {
    Part {
        index,
        name: format!("host:{index}"),
        machine: machine.into(),
        people: 10,
        wall_offset_ms: 0,
        clock_error_us: 40,
        ended,
        ended_at_s: Some(4.0),
    }
}

fn outcome(reports: impl IntoIterator<Item = Report>) -> Outcome {
    let parts = (0..).zip(reports).map(|(index, report)| part(index, "one", Ended::Report(Box::new(report)))).collect();
    Outcome { parts }
}

#[test]
fn histograms_merge_exactly() {
    let (slow, fast): (Vec<u64>, Vec<u64>) = ((1..2000).map(|value| value * 317).collect(), (1..5000).collect());
    let all = histogram(slow.iter().chain(&fast).copied());
    let merged = merge(&outcome([report(fast), report(slow), report([])]), |_| {}).unwrap();
    let found = &merged.metrics["ack"];
    let alone = all.summary();
    assert_eq!((found.count, found.mean_ms, found.percentiles_ms), (alone.count, alone.mean_ms, alone.percentiles_ms));
    let read = Histogram::from_base64(&found.histogram).unwrap();
    assert_eq!(read.values(), all.values(), "every bucket as if one worker had measured all");
    assert_eq!((merged.latency_ms.ack, merged.phases[0].metrics["ack"].count), (found.percentiles_ms, 1999 + 4999));
}

#[test]
fn counts_add_up_and_the_worst_worker_stands_for_the_rest() {
    let mut second = report([1]);
    second.counts = Counts { asked: 20, opened: 18, lost: 1, never_tried: 3, ..Counts::default() };
    second.not_opened = [("timeout".to_owned(), 1), ("refused".to_owned(), 1)].into();
    second.generator.lag_p99_ms = 0.9;
    second.server = ServerCost { rss_bytes: 50, rss_max_bytes: 60, cpu_seconds: 2.0, rss_per_socket_bytes: 27 };
    let mut run = outcome([report([1]), second]);
    run.parts[1].wall_offset_ms = -30;
    run.parts[1].clock_error_us = 120;
    let merged = merge(&run, |_| {}).unwrap();
    assert_eq!((merged.counts.asked, merged.counts.opened, merged.counts.lost, merged.counts.never_tried), (30, 27, 1, 3));
    assert_eq!(merged.not_opened, [("timeout".to_owned(), 2), ("refused".to_owned(), 1)].into());
    assert_eq!(merged.counts.asked, merged.counts.opened + merged.not_opened.values().sum::<u64>());
    assert_eq!(merged.failures["rate_limited"], 4);
    assert_eq!(merged.expected["closed_4009"], 2);
    assert_eq!((merged.generator.lag_p99_ms, merged.generator.rss_bytes, merged.generator.workers), (0.9, 200, 2));
    assert_eq!((merged.generator.clock_offset_ms, merged.generator.clock_error_ms), (-30.0, 0.12));
    assert_eq!((merged.server.rss_max_bytes, merged.server.rss_per_socket_bytes), (60, 27 * 18 / 27));
    assert!(merged.slo.is_empty() && merged.reasons.is_empty(), "a worker's own judgement of a part is none of the whole");
}

#[test]
fn rows_of_one_second_become_one_row() {
    let row = |at_s, sent, ack_p99_ms, generator_cpu| Second { at_s, sent, ack_p99_ms, generator_cpu, ..Second::default() };
    let (mut first, mut second, mut third) = (report([1]), report([1]), report([1]));
    first.series = vec![row(0, 5, 1.0, 0.3), row(1, 6, 2.0, 0.3)];
    second.series = vec![row(0, 7, 9.0, 0.4)];
    third.series = vec![row(0, 1, 0.5, 0.5)];
    let mut run = outcome([first, second, third]);
    run.parts[2].machine = "two".into();
    let merged = merge(&run, |_| {}).unwrap();
    assert_eq!(merged.series.iter().map(|row| (row.at_s, row.sent, row.ack_p99_ms)).collect::<Vec<_>>(), [(0, 13, 9.0), (1, 6, 2.0)]);
    assert!((merged.series[0].generator_cpu - 0.7).abs() < 1e-9, "two on one machine add up, another machine does not");
    assert!((merged.generator.cpu_busy - 0.6).abs() < 1e-9);
}

#[test]
fn a_mark_that_every_worker_saw_is_one_mark() {
    let mark = |at_s, what: &str| Mark { at_s, what: what.into() };
    let (mut first, mut second) = (report([1]), report([1]));
    first.marks = vec![mark(5.0, "warmup ends"), mark(60.0, "kill9"), mark(90.0, "kill9")];
    second.marks = vec![mark(5.2, "warmup ends"), mark(60.1, "kill9")];
    let merged = merge(&outcome([first, second]), |_| {}).unwrap();
    let marks: Vec<(f64, &str)> = merged.marks.iter().map(|mark| (mark.at_s, mark.what.as_str())).collect();
    assert_eq!(marks, [(5.0, "warmup ends"), (60.0, "kill9"), (90.0, "kill9")]);
}

#[test]
fn the_hash_follows_the_workers_hashes_in_their_order() {
    let with = |hash: &str| Report { schedule_hash: hash.into(), ..report([1]) };
    let hash = |first, second| merge(&outcome([with(first), with(second)]), |_| {}).unwrap().schedule_hash;
    assert_eq!(hash("a", "b"), hash("a", "b"));
    assert_ne!(hash("a", "b"), hash("b", "a"));
}

#[test]
fn the_whole_is_judged_by_its_merged_figures() {
    let merged = merge(&outcome([report([1]), report([2])]), |report| {
        assert_eq!(report.metrics["ack"].count, 2, "figures are merged before they are judged");
        (report.verdict, report.exit_code) = (Verdict::Fail, crate::cli::EXIT_TARGET);
    });
    let merged = merged.unwrap();
    assert_eq!((merged.verdict, merged.exit_code), (Verdict::Fail, crate::cli::EXIT_TARGET));
}

#[test]
fn a_lost_worker_spoils_the_run_and_its_people_were_never_tried() {
    let mut run = outcome([report([1])]);
    run.parts.push(part(1, "one", Ended::Lost("silent for 15 s".into())));
    run.parts.push(part(2, "one", Ended::Failed(super::super::worker::Failure { reason: "no target".into(), exit_code: 6 })));
    let merged = merge(&run, |_| {}).unwrap();
    assert_eq!((merged.verdict, merged.exit_code), (Verdict::Invalid, EXIT_INVALID));
    assert_eq!((merged.counts.asked, merged.not_opened["never_tried"]), (30, 20));
    assert_eq!(merged.counts.asked, merged.counts.opened + merged.not_opened.values().sum::<u64>());
    assert!(merged.reasons[0].contains("worker 1 (host:1) is lost: silent for 15 s; its 10 people"), "{:?}", merged.reasons);
    assert_eq!((merged.marks[0].at_s, merged.marks[0].what.as_str()), (4.0, "worker 1 lost"));
    assert!(merged.reasons[1].contains("no target"), "{:?}", merged.reasons);
}

#[test]
fn one_worker_that_was_the_limit_makes_the_run_invalid() {
    let limit = Report { verdict: Verdict::Invalid, exit_code: EXIT_INVALID, reasons: vec!["lag".into()], ..report([1]) };
    let merged = merge(&outcome([report([1]), limit]), |_| {}).unwrap();
    assert_eq!((merged.verdict, merged.exit_code), (Verdict::Invalid, EXIT_INVALID));
    assert_eq!(merged.reasons, ["worker 1 (host:1) was the limit: lag"]);
}

#[test]
fn a_correctness_failure_wins_over_a_lost_worker() {
    let mut run = outcome([report([1])]);
    run.parts.push(part(1, "one", Ended::Lost("gone".into())));
    let merged = merge(&run, |report| (report.verdict, report.exit_code) = (Verdict::Fail, EXIT_INCORRECT)).unwrap();
    assert_eq!((merged.verdict, merged.exit_code, merged.reasons.len()), (Verdict::Fail, EXIT_INCORRECT, 1));
}

#[test]
fn what_does_not_belong_together_is_not_merged() {
    let other = Report { seed: 8, ..report([1]) };
    assert!(matches!(merge(&outcome([report([1]), other]), |_| {}), Err(MergeError::Differs { index: 1, what: "seed" })));
    let mut broken = report([1]);
    broken.metrics.get_mut("ack").unwrap().histogram = "AAAA".into();
    let error = merge(&outcome([report([1]), broken]), |_| {}).unwrap_err();
    assert!(matches!(error, MergeError::Histogram { index: 1, .. }), "{error}");
    let none = Outcome { parts: vec![part(0, "one", Ended::Lost("gone".into()))] };
    assert!(merge(&none, |_| {}).unwrap_err().to_string().contains("gone"));
}
