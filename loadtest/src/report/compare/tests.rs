use super::*;
use crate::measure::Histogram;
use crate::report::data::{Counts, PhaseSummary, Second};
use crate::report::sample;
use crate::seed::Seeded;
use std::collections::BTreeMap;

/// What is done to a run of one minute.
#[derive(Clone, Copy)]
struct Made {
    median_ms: f64,
    /// One value in twenty takes so many times as long.
    tail: f64,
    /// How much whole seconds differ from each other.
    mood: f64,
    rate: u64,
    failed: u64,
}

const CALM: Made = Made { median_ms: 4.0, tail: 3.0, mood: 0.0, rate: 100, failed: 0 };

fn made(seed: u64, made: Made) -> Report {
    let mut random = Seeded::new(seed, "made");
    let mut report = sample::empty();
    let (mut whole, mut series) = (Histogram::new(), Vec::new());
    for at_s in 0..60 {
        let mood = (made.mood * (random.unit() - 0.5)).exp();
        let mut own = Histogram::new();
        for _ in 0..100 {
            let tail = if random.chance(0.05) { made.tail } else { 1.0 };
            let micros = made.median_ms * 1000.0 * mood * tail * (0.8 * (random.unit() - 0.5)).exp();
            own.record(micros as u64);
        }
        let sent = made.rate - made.rate / 10 + random.below(made.rate as usize / 5) as u64;
        series.push(Second {
            at_s,
            sent,
            acked: sent - made.failed,
            delivered: sent - made.failed,
            failed: made.failed,
            ack_p50_ms: own.quantile_ms(0.5),
            ack_p99_ms: own.quantile_ms(0.99),
            server_cpu: 0.5 + 0.1 * random.unit(),
            ..Second::default()
        });
        whole.add(&own);
    }
    report.series = series;
    report.metrics = BTreeMap::from([("ack".to_owned(), whole.summary())]);
    report.phases = vec![PhaseSummary { phase: "steady".into(), from_s: 0.0, to_s: 60.0, metrics: report.metrics.clone() }];
    report.latency_ms.ack = whole.percentiles_ms();
    report
}

fn finding(comparison: &Comparison, subject: &str) -> Finding {
    comparison.rows.iter().find(|row| row.subject.to_string() == subject).unwrap().finding
}

fn compared(base: &Report, new: &Report) -> Comparison {
    compare(base, new, &Options::default()).unwrap()
}

#[test]
fn a_planted_difference_is_found_in_its_figure_and_no_other() {
    let base = made(1, CALM);
    let slower = compared(&base, &made(2, Made { median_ms: 4.8, ..CALM }));
    assert_eq!((finding(&slower, "ack.p50"), finding(&slower, "ack.p99")), (Finding::Worse, Finding::Worse));
    assert_eq!((finding(&slower, "acked.rate"), slower.verdict, slower.exit_code()), (Finding::Same, Verdict::Worse, 8));
    let tail = compared(&base, &made(3, Made { tail: 6.0, ..CALM }));
    assert_eq!((finding(&tail, "ack.p50"), finding(&tail, "ack.p99"), tail.verdict), (Finding::Same, Finding::Worse, Verdict::Worse));
    let faster = compared(&base, &made(4, Made { median_ms: 3.2, ..CALM }));
    assert_eq!((faster.verdict, faster.exit_code()), (Verdict::Better, 0));
}

#[test]
fn one_figure_bought_with_another_is_a_regression() {
    let mixed = compared(&made(1, CALM), &made(2, Made { median_ms: 3.2, tail: 8.0, ..CALM }));
    assert_eq!((finding(&mixed, "ack.p50"), finding(&mixed, "ack.p99")), (Finding::Better, Finding::Worse));
    assert_eq!((mixed.verdict, mixed.exit_code()), (Verdict::Mixed, 8));
}

#[test]
fn less_done_or_more_failed_is_worse() {
    let base = made(1, CALM);
    let less = compared(&base, &made(2, Made { rate: 80, ..CALM }));
    assert_eq!((finding(&less, "acked.rate"), finding(&less, "ack.p99")), (Finding::Worse, Finding::Same));
    let failing = compared(&base, &made(3, Made { failed: 2, ..CALM }));
    assert_eq!((finding(&failing, "failed.share"), failing.verdict), (Finding::Worse, Verdict::Worse));
    let mut lossy = made(4, CALM);
    lossy.counts = Counts { lost: 1, ..Counts::default() };
    assert_eq!(compared(&base, &lossy).verdict, Verdict::Worse, "one lost message outweighs equal figures");
}

/// Equal servers, the same and with seconds that differ by half: some of a hundred narrow intervals lie beside
/// zero, but hardly ever outside the tolerance too.
#[test]
fn equal_runs_are_hardly_ever_told_apart() {
    for mood in [0.0, 0.5] {
        let made = |seed| made(seed, Made { mood, ..CALM });
        let (mut alarms, mut beside) = (0, 0);
        for pair in 0..50 {
            let comparison = compared(&made(1_000 + pair), &made(2_000 + pair));
            alarms += u32::from(comparison.verdict != Verdict::Same);
            beside += comparison.rows.iter().filter(|row| row.subject.is_latency() && row.interval.low * row.interval.high > 0.0).count();
        }
        println!("mood {mood}: {alarms} alarms, {beside} of 100 intervals beside zero (seeds from 1000 and 2000)");
        assert!(alarms <= 1, "{alarms} false alarms in 50 pairs with mood {mood}");
        assert!(beside <= 6, "{beside} of 100 intervals of 99 % do not hold the truth with mood {mood}");
    }
}

#[test]
fn what_cannot_be_compared_is_refused_by_kind() {
    let base = made(1, CALM);
    let refused = |new: &Report, options: &Options| compare(&base, new, options).unwrap_err();
    let mut invalid = made(2, CALM);
    invalid.verdict = RunVerdict::Invalid;
    let error = refused(&invalid, &Options::default());
    assert!(matches!(error, CompareError::Invalid { which: "new" }) && error.exit_code() == 5);
    let mut other = made(2, CALM);
    other.scenario = "idle".into();
    assert!(matches!(refused(&other, &Options::default()), CompareError::Scenarios { .. }));
    let options = Options { subjects: vec!["call.setup.p99".parse().unwrap()], ..Options::default() };
    assert!(matches!(refused(&made(2, CALM), &options), CompareError::NotMeasured { .. }));
}

#[test]
fn names_of_figures_are_a_closed_list() {
    for name in ["ack.p99", "call.setup.p50", "delivery.p999 during recovery", "acked.rate", "failed.share", "server.cpu"] {
        assert_eq!(name.parse::<Subject>().unwrap().to_string(), name);
    }
    for wrong in ["ack", "ack.p98", "happiness.p99", "ack.p99 during lunch", "acked.rate during steady", ""] {
        assert!(wrong.parse::<Subject>().is_err(), "{wrong}");
    }
}

#[test]
fn the_table_says_change_interval_and_what_else_differs() {
    let mut new = made(2, Made { median_ms: 4.8, ..CALM });
    new.environment.kernel = "Linux 7.0".into();
    let text = text(&compared(&made(1, CALM), &new));
    assert!(
        text.contains("ack.p50") && text.contains("WORSE") && text.contains("another kernel") && text.contains("a regression"),
        "{text}"
    );
    println!("{text}");
}
