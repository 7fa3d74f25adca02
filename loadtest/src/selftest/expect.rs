//! Compares what was found with what was told. Counts have to be equal, latencies within one in a hundred or 50 µs of what the server
//! knows it took; and nothing may be found that was not planted.

use super::lies::{Lie, Load};
use super::load::SLOW_MICROS;
use super::server::TAIL_FACTOR;
use crate::cli::{EXIT_INCORRECT, EXIT_INVALID, EXIT_PASS};
use crate::measure::Histogram;
use crate::report::data::Report;
use std::collections::BTreeMap;

const LATENCY_SHARE: f64 = 0.01;
const LATENCY_MICROS: f64 = 50.0;
/// What an acknowledgement never takes where nothing holds it back.
const HELD_BACK_MICROS: u64 = 1_000_000;
/// Mean of what came in a stall of fifteen seconds: half of it.
const STALLED_MEAN_MICROS: f64 = 7_000_000.0;

/// What a run or a probe found, by class: `lost`, `failures.connection_broken`, `not_opened.http_503`.
#[derive(Debug, Default)]
pub struct Findings {
    pub classes: BTreeMap<String, u64>,
    /// None for a probe, which has no verdict.
    pub exit_code: Option<u8>,
    pub latency: Option<Latency>,
}

/// Acknowledgements as the report has them and as the server kept them.
#[derive(Debug)]
pub struct Latency {
    pub reported_micros: Vec<(u64, u64)>,
    pub kept_micros: Vec<(u64, u64)>,
}

impl Findings {
    pub fn of_report(report: &Report) -> Self {
        let violations = report.counts.violations().into_iter().map(|(class, count)| (class.to_owned(), count));
        let unsettled = [("indeterminate", report.counts.indeterminate), ("never_tried", report.counts.never_tried)];
        let unsettled = unsettled.into_iter().map(|(class, count)| (class.to_owned(), count));
        let within = |name: &'static str, classes: &BTreeMap<String, u64>| -> Vec<(String, u64)> {
            classes.iter().map(|(class, count)| (format!("{name}.{class}"), *count)).collect()
        };
        let not_opened: u64 = report.not_opened.values().sum();
        let unaccounted = report.counts.asked.abs_diff(report.counts.opened + not_opened);
        let classes = violations
            .chain(unsettled)
            .chain(within("failures", &report.failures))
            .chain(within("not_opened", &report.not_opened))
            .chain([("unaccounted_sockets".to_owned(), unaccounted)]);
        Self { classes: classes.filter(|(_, count)| *count > 0).collect(), exit_code: Some(report.exit_code), latency: None }
    }

    pub fn count(&self, class: &str) -> u64 {
        self.classes.get(class).copied().unwrap_or(0)
    }

    /// As one line: `lost 3 · gaps 3`.
    pub fn line(&self) -> String {
        let found: Vec<String> = self.classes.iter().map(|(class, count)| format!("{class} {count}")).collect();
        if found.is_empty() { "clean".into() } else { found.join(" · ") }
    }
}

/// What is wrong with the findings; empty when they are exactly what was told.
pub fn compare(lie: Option<Lie>, meant: u64, told: u64, found: &Findings) -> Vec<String> {
    let mut wrong = Vec::new();
    if told != meant {
        wrong.push(format!("the lie was told {told} times, not {meant}"));
    }
    let (planted, also) = lie.map(|lie| (lie.classes(), lie.also())).unwrap_or_default();
    for class in planted.iter().filter(|class| found.count(class) != told) {
        wrong.push(format!("{class}: {told} told, {} found", found.count(class)));
    }
    for (class, count) in &found.classes {
        if !planted.contains(&class.as_str()) && !also.contains(&class.as_str()) {
            wrong.push(format!("{count} {class} found that nobody planted"));
        }
    }
    wrong.extend(found.exit_code.and_then(|code| wrong_exit(lie, code)));
    match (lie.map(Lie::load), &found.latency) {
        (Some(Load::Stall), Some(latency)) => wrong.extend(latency.stalled()),
        (Some(Load::Slow), Some(latency)) => wrong.extend(latency.slow_tail(told)),
        (Some(Load::Stall | Load::Slow), None) => wrong.push("no latency was measured".into()),
        _ => {}
    }
    wrong
}

/// A violation has to win over everything; then sockets refused or lost are the target's fault; without either the run passes, unless this machine was too busy to say so.
fn wrong_exit(lie: Option<Lie>, code: u8) -> Option<String> {
    let classes = lie.map(Lie::classes).unwrap_or_default();
    let is_violation = classes.iter().any(|class| !class.contains('.'));
    let is_refusal = classes.iter().any(|class| class.starts_with("not_opened.") || *class == "failures.connection_broken");
    let right = match code {
        EXIT_INCORRECT => is_violation,
        EXIT_INVALID => !is_violation,
        EXIT_PASS => !is_violation && !is_refusal,
        crate::cli::EXIT_TARGET => is_refusal,
        _ => false,
    };
    (!right).then(|| format!("exit code {code}"))
}

impl Latency {
    fn stalled(&self) -> Vec<String> {
        let mut wrong = self.means(|_| true, "the mean");
        wrong.extend(self.means(|micros| micros >= HELD_BACK_MICROS, "the mean of what was held back"));
        // As many as the server held back, the slowest: a report that leaves some of them out has shorter ones in their place.
        let held = self.kept_micros.iter().filter(|(micros, _)| *micros >= 50_000).map(|(_, count)| count).sum();
        let stalled = mean_of_slowest(&self.reported_micros, held);
        if stalled < STALLED_MEAN_MICROS {
            wrong.push(format!("what came in the stall took {:.2} s in the mean, less than 7 s", stalled / 1e6));
        }
        wrong
    }

    fn slow_tail(&self, told: u64) -> Vec<String> {
        let is_tail = |micros: u64| micros >= SLOW_MICROS * TAIL_FACTOR / 2;
        // The planted time is one constant: its median is that of the server, whatever else this machine does meanwhile.
        let (reported, kept) = (median(&self.reported_micros), median(&self.kept_micros));
        let mut wrong = within(reported, kept, "the median");
        wrong.extend(self.means(is_tail, "the mean of the slow ones"));
        let slow: u64 = self.reported_micros.iter().filter(|(micros, _)| is_tail(*micros)).map(|(_, count)| count).sum();
        if slow != told {
            wrong.push(format!("{slow} slow acknowledgements reported, {told} told"));
        }
        wrong
    }

    fn means(&self, which: impl Fn(u64) -> bool + Copy, name: &str) -> Vec<String> {
        let (reported, kept) = (mean(&self.reported_micros, which), mean(&self.kept_micros, which));
        within(reported, kept, name)
    }

    pub fn line(&self) -> String {
        let all = mean(&self.reported_micros, |_| true);
        let kept = mean(&self.kept_micros, |_| true);
        let held = mean(&self.reported_micros, |micros| micros >= 2 * HELD_BACK_MICROS);
        format!("ack mean {:.1} ms (true {:.1} ms), of what took over 2 s {:.2} s", all / 1e3, kept / 1e3, held / 1e6)
    }
}

fn within(reported: f64, kept: f64, name: &str) -> Vec<String> {
    let allowed = (kept * LATENCY_SHARE).max(LATENCY_MICROS);
    let wrong = (reported - kept).abs() > allowed || kept == 0.0;
    wrong.then(|| format!("{name} is reported as {:.2} ms, it was {:.2} ms", reported / 1e3, kept / 1e3)).into_iter().collect()
}

/// Of values in ascending order.
fn mean_of_slowest(values: &[(u64, u64)], count: u64) -> f64 {
    let (mut left, mut sum) = (count, 0.0);
    for (micros, times) in values.iter().rev() {
        let taken = left.min(*times);
        sum += *micros as f64 * taken as f64;
        left -= taken;
    }
    sum / count.max(1) as f64
}

/// Of values in ascending order.
fn median(values: &[(u64, u64)]) -> f64 {
    let half = values.iter().map(|(_, count)| count).sum::<u64>().div_ceil(2);
    let mut before = 0;
    let middle = values.iter().find(|(_, count)| {
        before += count;
        before >= half
    });
    middle.map_or(0.0, |(micros, _)| *micros as f64)
}

/// 0 where nothing was measured.
fn mean(values: &[(u64, u64)], which: impl Fn(u64) -> bool) -> f64 {
    let (sum, count) = values
        .iter()
        .filter(|(micros, _)| which(*micros))
        .fold((0.0, 0), |(sum, count), (micros, times)| (sum + *micros as f64 * *times as f64, count + times));
    if count == 0 { 0.0 } else { sum / count as f64 }
}

/// The report's histogram of one metric.
pub fn histogram(report: &Report, metric: &str) -> Option<Histogram> {
    Histogram::from_base64(&report.metrics.get(metric)?.histogram)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(classes: &[(&str, u64)], exit_code: u8) -> Findings {
        let classes = classes.iter().map(|(class, count)| ((*class).to_owned(), *count)).collect();
        Findings { classes, exit_code: Some(exit_code), latency: None }
    }

    #[test]
    fn exactly_what_was_told_is_right_and_nothing_else() {
        let drop = |classes: &[(&str, u64)], code| compare(Some(Lie::Drop), 3, 3, &found(classes, code));
        assert!(drop(&[("lost", 3), ("gaps", 3)], 4).is_empty());
        assert_eq!(drop(&[("lost", 3)], 4).len(), 1, "a class not reported");
        assert_eq!(drop(&[("lost", 2), ("gaps", 3)], 4).len(), 1, "one too few");
        assert_eq!(drop(&[("lost", 3), ("gaps", 4)], 4).len(), 1, "one too many");
        assert_eq!(drop(&[("lost", 3), ("gaps", 3), ("phantom", 1)], 4).len(), 1, "not planted");
        assert_eq!(drop(&[("lost", 3), ("gaps", 3)], 0).len(), 1, "found, but passed");
        assert_eq!(compare(Some(Lie::Drop), 3, 2, &found(&[("lost", 2), ("gaps", 2)], 4)).len(), 1, "told too seldom");
    }

    #[test]
    fn an_honest_run_is_clean() {
        assert!(compare(None, 0, 0, &found(&[], 0)).is_empty());
        assert!(compare(None, 0, 0, &found(&[], 5)).is_empty(), "a busy machine");
        assert_eq!(compare(None, 0, 0, &found(&[("failures.timeout", 1)], 0)).len(), 1);
        assert_eq!(compare(None, 0, 0, &found(&[], 4)).len(), 1);
    }

    #[test]
    fn a_refused_socket_is_the_targets_fault() {
        let refused = |code| compare(Some(Lie::RefuseConnects), 2, 2, &found(&[("not_opened.http_503", 2)], code));
        assert!(refused(6).is_empty());
        assert_eq!(refused(0).len(), 1);
    }

    #[test]
    fn a_stall_that_was_omitted_is_noticed() {
        let stall = |reported: Vec<(u64, u64)>| {
            let kept_micros = vec![(100, 300), (7_500_000, 300)];
            let latency = Some(Latency { reported_micros: reported, kept_micros });
            compare(Some(Lie::Stall), 1, 1, &Findings { latency, ..found(&[], 0) })
        };
        assert!(stall(vec![(300, 300), (7_500_000, 300)]).is_empty());
        assert!(!stall(vec![(300, 599), (15_000_000, 1)]).is_empty(), "one long wait and nothing else: coordinated omission");
        assert!(!stall(vec![(300, 300), (7_400_000, 300)]).is_empty(), "one and a third in a hundred too little");
        assert!(!stall(Vec::new()).is_empty());
    }

    #[test]
    fn a_slow_tail_is_counted_and_measured() {
        let tail = |reported: Vec<(u64, u64)>| {
            let latency = Some(Latency { reported_micros: reported, kept_micros: vec![(1_000_500, 396), (10_000_500, 4)] });
            compare(Some(Lie::SlowTail), 4, 4, &Findings { latency, ..found(&[], 0) })
        };
        assert!(tail(vec![(1_001_000, 396), (10_001_000, 4)]).is_empty());
        assert!(!tail(vec![(1_001_000, 397), (10_001_000, 3)]).is_empty());
        assert!(!tail(vec![(1_020_000, 396), (10_001_000, 4)]).is_empty());
    }
}
