//! Figures and sentences that every output shares, so that the page, the lines and the pull request say the same thing.
//!
//! Nothing here is escaped: what goes into HTML, XML or markdown is escaped there.

use super::data::{Counts, Report, SloResult, Verdict};

pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub fn per_second(rate: f64) -> String {
    if rate < 10.0 { format!("{}/s", trimmed(rate, 2)) } else { format!("{}/s", count(rate.round() as u64)) }
}

/// Three significant digits at most: more would claim a precision that the histograms do not have.
pub fn ms(value: f64) -> String {
    match value {
        v if !v.is_finite() => "–".to_owned(),
        v if v < 0.0995 => format!("{} µs", trimmed(v * 1000.0, 1)),
        v if v < 9.95 => format!("{} ms", trimmed(v, 2)),
        v if v < 99.95 => format!("{} ms", trimmed(v, 1)),
        v if v < 999.5 => format!("{v:.0} ms"),
        v if v < 60_000.0 => format!("{} s", trimmed(v / 1000.0, 2)),
        v => format!("{} min", trimmed(v / 60_000.0, 1)),
    }
}

pub fn bytes(value: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut scaled = value as f64;
    let mut name = "bytes";
    for unit in UNITS {
        if scaled < 1024.0 {
            break;
        }
        scaled /= 1024.0;
        name = unit;
    }
    if name == "bytes" { format!("{value} bytes") } else { format!("{} {name}", trimmed(scaled, 1)) }
}

pub fn percent(part: f64) -> String {
    format!("{} %", trimmed(part * 100.0, 1))
}

pub fn seconds(value: f64) -> String {
    match value {
        v if v < 60.0 => format!("{} s", trimmed(v, 1)),
        v => {
            let whole = v.round() as u64;
            let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
            if hours > 0 { format!("{hours} h {minutes:02} min {rest:02} s") } else { format!("{minutes} min {rest:02} s") }
        }
    }
}

/// What an objective measured, in the unit of its rule; it may have had nothing to measure.
pub fn measured(slo: &SloResult) -> String {
    let subject = slo.rule.split_whitespace().next().unwrap_or_default();
    match subject.rsplit_once('.').map_or("", |(_, statistic)| statistic) {
        _ if !slo.measured.is_finite() => "nothing".to_owned(),
        "p50" | "p90" | "p99" | "p999" | "max" | "mean" => ms(slo.measured),
        "rate" => per_second(slo.measured),
        _ => trimmed(slo.measured, 3),
    }
}

/// How late the generator may be: a millisecond, or so little beside the latency that it says nothing about it.
pub fn lag_allowed_ms(report: &Report) -> f64 {
    let calm = report.phases.iter().find(|phase| phase.phase == "steady" && !phase.metrics.is_empty());
    let metrics = calm.map_or(&report.metrics, |phase| &phase.metrics);
    let p99 = |name: &str| metrics.get(name).filter(|metric| metric.count > 0).map(|metric| metric.percentiles_ms.p99);
    let slowest = || metrics.values().map(|metric| metric.percentiles_ms.p99).fold(0.0, f64::max);
    (p99("ack").unwrap_or_else(slowest) * 0.1).max(1.0)
}

/// The metrics that a summary shows: what people wait for first, what explains it not at all.
pub fn leading(report: &Report) -> Vec<&str> {
    let explains = |name: &str| matches!(name, "ack_service" | "open");
    let rank = |name: &str| match name {
        "ack" => 0,
        "delivery" => 1,
        name if explains(name) => 3,
        _ => 2,
    };
    let mut names: Vec<(&str, u64)> =
        report.metrics.iter().filter(|(_, metric)| metric.count > 0).map(|(name, metric)| (name.as_str(), metric.count)).collect();
    names.sort_by_key(|(name, count)| (rank(name), std::cmp::Reverse(*count)));
    let others = names.iter().any(|(name, _)| !explains(name));
    names.into_iter().map(|(name, _)| name).filter(|name| !others || !explains(name)).take(3).collect()
}

/// A fixed number of digits without trailing zeros.
pub fn trimmed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// How far the ledger looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    Whole,
    Part,
    Off,
}

/// From the plan's `check`: `full`, `sample:N`, `off`. A plan that does not say so checks everything.
pub fn checked(report: &Report) -> Checked {
    match report.plan.get("check").and_then(serde_json::Value::as_str) {
        Some("off") => Checked::Off,
        Some(text) if text.starts_with("sample") => Checked::Part,
        _ => Checked::Whole,
    }
}

/// Acknowledged a second while load was on: the measured phase when it is named, else from the first send to the last.
pub fn throughput(report: &Report) -> f64 {
    let steady: Vec<_> = report.phases.iter().filter(|phase| phase.phase == "steady").collect();
    let measured = |at: f64| steady.is_empty() || steady.iter().any(|phase| at >= phase.from_s && at + 1.0 <= phase.to_s);
    let rows: Vec<_> = report.series.iter().filter(|row| measured(f64::from(row.at_s))).collect();
    let first = rows.iter().position(|row| row.sent > 0);
    let last = rows.iter().rposition(|row| row.sent > 0);
    match (first, last) {
        (Some(first), Some(last)) => {
            let span = rows[last].at_s.saturating_sub(rows[first].at_s) + 1;
            rows[first..=last].iter().map(|row| row.acked as f64).sum::<f64>() / f64::from(span)
        }
        _ => report.counts.acked as f64 / report.duration_s.max(0.001),
    }
}

pub fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "passed",
        Verdict::Fail => "failed",
        Verdict::Invalid => "invalid",
    }
}

/// The whole run in one sentence.
pub fn headline(report: &Report) -> String {
    match report.verdict {
        Verdict::Invalid => "Invalid: the generator was the limit, so these figures say nothing about the server.".to_owned(),
        Verdict::Pass => format!("Passed: {}, {}.", figures(report), findings(report)),
        Verdict::Fail if report.counts.violation_count() > 0 => format!("Failed: {}; {}.", findings(report), figures(report)),
        Verdict::Fail if report.exit_code == 130 => format!("Stopped before its end: {}, {}.", figures(report), findings(report)),
        Verdict::Fail => match missed(report) {
            (0, _) => match report.reasons.first() {
                Some(reason) => format!("Failed: {}.", reason.trim_end_matches('.')),
                None => format!("Failed with exit code {}.", report.exit_code),
            },
            (missed, all) => format!("Failed: {missed} of {all} objectives missed; {}, {}.", figures(report), findings(report)),
        },
    }
}

fn missed(report: &Report) -> (usize, usize) {
    (report.slo.iter().filter(|slo| !slo.held).count(), report.slo.len())
}

fn figures(report: &Report) -> String {
    let counts = &report.counts;
    if counts.acked > 0 {
        let rate = per_second(throughput(report));
        let (within, whole) = p99(report, "ack").unwrap_or((report.latency_ms.ack.p99, None));
        let whole = whole.map(|whole| format!(" while calm ({} over the whole run)", ms(whole))).unwrap_or_default();
        return format!("{} messages/s, 99 % acknowledged within {}{whole}", rate.trim_end_matches("/s"), ms(within));
    }
    let sockets = format!("{} of {} sockets open", count(counts.opened), count(counts.asked));
    match leading(report).first().and_then(|name| Some((name, report.metrics.get(*name)?))) {
        Some((name, metric)) => format!("{sockets}, 99 % of {} {name} within {}", count(metric.count), ms(metric.percentiles_ms.p99)),
        None => sockets,
    }
}

/// The 99th percentile of the calm phase, and that of the whole run where a fault makes it another.
pub fn p99(report: &Report, metric: &str) -> Option<(f64, Option<f64>)> {
    let whole = report.metrics.get(metric)?.percentiles_ms.p99;
    let struck = report.phases.iter().any(|phase| matches!(phase.phase.as_str(), "fault" | "during" | "recovery"));
    let calm = report.phases.iter().find(|phase| phase.phase == "steady").and_then(|phase| phase.metrics.get(metric));
    Some(match calm {
        Some(calm) if struck && calm.count > 0 => (calm.percentiles_ms.p99, Some(whole)),
        _ => (whole, None),
    })
}

/// What the ledger says, with the number it stands on.
fn findings(report: &Report) -> String {
    let on = format!("checked on {} messages", count(report.counts.sent));
    match (checked(report), report.counts.violation_count()) {
        (Checked::Off, _) => "correctness was not checked".to_owned(),
        (_, 0) if report.counts.sent == 0 => "nothing wrong was seen".to_owned(),
        (Checked::Part, 0) => format!("nothing lost in the sample of {} messages", count(report.counts.sent)),
        (Checked::Whole, 0) => format!("nothing lost, {on}"),
        _ => {
            let classes: Vec<String> = report
                .counts
                .violations()
                .into_iter()
                .filter(|(_, count)| *count > 0)
                .map(|(class, number)| found(class, number))
                .collect();
            format!("{}, {on}", classes.join(", "))
        }
    }
}

/// `3 lost`, `1 oversold place` …
pub fn found(class: &str, number: u64) -> String {
    let what = match class {
        "stale_access" => "seen after leaving",
        "gaps" => "never filled gaps",
        "forked" => "changed histories",
        "clock" => "times going back",
        "ghost_calls" => "ghost calls",
        "money" => "orders whose money does not add up",
        other => other,
    };
    format!("{} {what}", count(number))
}

/// What a class of the ledger means, for somebody who reads it for the first time.
pub fn meaning(class: &str) -> &'static str {
    match class {
        "lost" => "The server acknowledged the message, and nobody could read it at the end.",
        "phantom" => "Something stands in a history, or was acknowledged, that nobody sent.",
        "duplicated" => "One message stands twice in a history or reached a receiver twice.",
        "reordered" => "A receiver saw entries against the conversation's order, or an entry ended at another place than acknowledged.",
        "corrupted" => "What was read is not what was sent.",
        "misdelivered" => "Somebody who is not a member received it: a breach of confidentiality.",
        "stale_access" => "Somebody received an entry that came after his membership had ended.",
        "gaps" => "A hole in a receiver's stream that the server never filled.",
        "forked" => "The history changed under its reader: another hash at the same place, or a cursor that the server denies.",
        "clock" => "The time written into entries went back along the conversation.",
        "ghost_calls" => "A telephone rang, or kept ringing, with no live caller.",
        "oversold" => "More places were confirmed than there are.",
        "undersold" => "A confirmed booking is gone, or one was refused while places were free.",
        "money" => "An order whose payments, refunds and price do not add up.",
        _ => "A class that this version of the report does not know.",
    }
}

/// The violation classes that a run of this report's counts found, worst of the ledger's order first.
pub fn violations(counts: &Counts) -> impl Iterator<Item = (&'static str, u64)> {
    counts.violations().into_iter().filter(|(_, number)| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::data::MetricSummary;
    use crate::report::sample;

    #[test]
    fn figures_have_three_digits_and_their_unit() {
        assert_eq!(count(0), "0");
        assert_eq!(count(150_000), "150,000");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!((ms(0.0421), ms(0.42), ms(4.2), ms(18.04)), ("42.1 µs".into(), "0.42 ms".into(), "4.2 ms".into(), "18 ms".into()));
        assert_eq!((ms(999.6), ms(15_200.0), ms(90_000.0), ms(f64::NAN)), ("1 s".into(), "15.2 s".into(), "1.5 min".into(), "–".into()));
        assert_eq!((bytes(900), bytes(4_403), bytes(1 << 30)), ("900 bytes".into(), "4.3 KiB".into(), "1 GiB".into()));
        assert_eq!((per_second(0.25), per_second(4_999.6)), ("0.25/s".into(), "5,000/s".into()));
        assert_eq!((seconds(5.5), seconds(125.0), seconds(3_725.0)), ("5.5 s".into(), "2 min 05 s".into(), "1 h 02 min 05 s".into()));
    }

    #[test]
    fn the_headline_says_verdict_figures_and_on_how_many() {
        let passed = headline(&sample::passed());
        assert!(passed.starts_with("Passed: ") && passed.contains("messages/s, 99 % acknowledged within "), "{passed}");
        assert!(passed.contains(&format!("nothing lost, checked on {} messages", count(sample::passed().counts.sent))), "{passed}");
        let failed = headline(&sample::failed());
        assert!(failed.starts_with("Failed: 3 lost, 1 misdelivered, checked on "), "{failed}");
        assert!(headline(&sample::invalid()).starts_with("Invalid: the generator was the limit"));
    }

    #[test]
    fn a_fault_neither_hides_in_the_calm_figure_nor_replaces_it() {
        let mut report = sample::passed();
        let (calm, whole) = p99(&report, "ack").unwrap();
        assert!(calm < 20.0 && whole.unwrap() > 1_000.0);
        assert!(headline(&report).contains(&format!("within {} while calm ({} over the whole run)", ms(calm), ms(whole.unwrap()))));
        report.phases.clear();
        assert_eq!(p99(&report, "ack"), Some((whole.unwrap(), None)));
    }

    #[test]
    fn a_run_that_did_not_check_does_not_claim_that_nothing_was_lost() {
        let mut report = sample::passed();
        report.plan = serde_json::json!({ "check": "off" });
        assert!(headline(&report).contains("correctness was not checked") && !headline(&report).contains("nothing lost"));
    }

    #[test]
    fn a_summary_leads_with_what_people_wait_for() {
        let mut report = sample::passed();
        for (name, count) in [("open", 9_000_000), ("ack_service", 9_000_000), ("reconnect.current", 5), ("search", 50), ("login", 0)] {
            report.metrics.insert(name.into(), MetricSummary { count, ..MetricSummary::default() });
        }
        assert_eq!(leading(&report), ["ack", "delivery", "search"]);
        report.metrics.retain(|name, _| name == "open");
        assert_eq!(leading(&report), ["open"]);
    }

    #[test]
    fn every_class_of_the_ledger_has_its_sentence() {
        for (class, _) in Counts::default().violations() {
            assert!(!meaning(class).contains("does not know"), "{class}");
        }
    }
}
