//! Plain lines: one a second while the run goes on and nobody watches a terminal, and the summary at its end.
//!
//! Text from outside is shown without control characters: a class name must not drive somebody's terminal.

use super::accounting::accounts;
use super::data::{Live, Report};
use super::words::{self, Checked};
use std::fmt::Write as _;

/// One second of the run.
pub fn second(live: &Live) -> String {
    let row = &live.second;
    let total = if live.total_s > 0.0 { format!("/{:.0}", live.total_s) } else { String::new() };
    let mut line = format!("{:>4.0}{total} s  {:<10} sockets {}", live.elapsed_s, plain(&live.phase), words::count(row.sockets));
    if live.counts.sent > 0 {
        let _ = write!(line, "  sent {}/s acked {}/s delivered {}/s", row.sent, row.acked, row.delivered);
        let _ = write!(line, "  ack p50 {} p99 {}", words::ms(row.ack_p50_ms), words::ms(row.ack_p99_ms));
        let _ = write!(line, "  in flight {}", row.in_flight);
    }
    if row.failed > 0 {
        let _ = write!(line, "  FAILED {}/s", row.failed);
    }
    let _ = write!(line, "  lag p99 {}", words::ms(row.lag_p99_ms));
    if row.server_rss_bytes > 0 {
        let _ = write!(line, "  server {:.2} cores {}", row.server_cpu, words::bytes(row.server_rss_bytes));
    }
    for (class, number) in words::violations(&live.counts) {
        let _ = write!(line, "  VIOLATION {}", words::found(class, number));
    }
    let now = row.at_s as f64;
    for mark in live.marks.iter().filter(|mark| mark.at_s >= now && mark.at_s < now + 1.0) {
        let _ = write!(line, "  ** {}", plain(&mark.what));
    }
    line
}

/// What is printed at the end of every run.
pub fn summary(report: &Report) -> String {
    let mut text = format!("\n{}\n", words::headline(report));
    for reason in &report.reasons {
        let _ = writeln!(text, "  - {}", plain(reason));
    }
    let _ = writeln!(text, "\nscenario   {}  seed {}  schedule {}", plain(&report.scenario), report.seed, plain(&report.schedule_hash));
    for account in accounts(report) {
        let parts: Vec<String> = account
            .parts
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| format!("{} {}", words::count(*count), plain(name)))
            .collect();
        let (kind, what) = account.whole_name.split_once(' ').unwrap_or((account.whole_name, ""));
        let _ = write!(text, "{kind:<11}{} {what} = {}", words::count(account.whole), parts.join(" + "));
        match account.difference() {
            0 => text.push('\n'),
            difference => writeln!(text, "; {difference} ARE NOT ACCOUNTED FOR").unwrap_or_default(),
        }
    }
    for (class, count) in &report.failures {
        let _ = writeln!(text, "failures   {} {}", words::count(*count), plain(class));
    }
    for (class, count) in &report.expected {
        let _ = writeln!(text, "expected   {} {}", words::count(*count), plain(class));
    }
    metrics(&mut text, report);
    let checked = match words::checked(report) {
        Checked::Off => "nothing".to_owned(),
        Checked::Part => "a sample".to_owned(),
        Checked::Whole => format!("{} messages", words::count(report.counts.sent)),
    };
    let classes: Vec<String> = report.counts.violations().iter().map(|(class, count)| format!("{class} {count}")).collect();
    let _ = writeln!(text, "checked    {checked}: {}  (indeterminate {})", classes.join("  "), report.counts.indeterminate);
    for slo in &report.slo {
        let held = if slo.held { "held  " } else { "MISSED" };
        let _ = writeln!(text, "objective  {held} {}: {}", plain(&slo.rule), words::measured(slo));
    }
    costs(&mut text, report);
    let _ = writeln!(text, "verdict    {} (exit code {})", words::verdict(report.verdict), report.exit_code);
    text
}

fn metrics(text: &mut String, report: &Report) {
    let measured = || report.metrics.iter().filter(|(_, metric)| metric.count > 0);
    let width = measured().map(|(name, _)| name.chars().count()).max().unwrap_or(0).max(10);
    for (name, metric) in measured() {
        let p = &metric.percentiles_ms;
        let _ = write!(text, "{:<width$} p50 {}  p90 {}", plain(name), words::ms(p.p50), words::ms(p.p90));
        let _ = write!(text, "  p99 {}  p99.9 {}  max {}", words::ms(p.p99), words::ms(p.p999), words::ms(p.max));
        let _ = writeln!(text, "  ({} samples)", words::count(metric.count));
    }
}

fn costs(text: &mut String, report: &Report) {
    let (server, generator) = (&report.server, &report.generator);
    if server.rss_bytes > 0 {
        let _ = writeln!(
            text,
            "server     {} (peak {}), {} a socket, {:.1} s of CPU",
            words::bytes(server.rss_bytes),
            words::bytes(server.rss_max_bytes),
            words::bytes(server.rss_per_socket_bytes),
            server.cpu_seconds
        );
    }
    if let Some(drift) = &report.drift {
        let _ = writeln!(
            text,
            "drift      memory {:+.1} % ({:+.1} MiB an hour), open files {:+.0}, ack p99 {} at first, {} at last",
            drift.rss_percent,
            drift.rss_bytes_per_hour / 1_048_576.0,
            drift.files,
            words::ms(drift.ack_p99_first_ms),
            words::ms(drift.ack_p99_last_ms)
        );
    }
    let _ = writeln!(text, "generator  p99 {} late, {} busy", words::ms(generator.lag_p99_ms), words::percent(generator.cpu_busy));
}

fn plain(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_second_is_one_line_and_says_what_is_wrong() {
        let calm = second(&sample::live(&sample::passed(), 30));
        assert!(!calm.contains('\n') && calm.contains("steady") && !calm.contains("FAILED") && !calm.contains("VIOLATION"), "{calm}");
        let struck = second(&sample::live(&sample::failed(), 50));
        assert!(struck.contains("FAILED") && struck.contains("VIOLATION 3 lost") && struck.contains("** kill9"), "{struck}");
    }

    #[test]
    fn the_end_says_verdict_accounts_figures_and_classes() {
        let text = summary(&sample::failed());
        for part in [
            "Failed: 3 lost, 1 misdelivered",
            "sockets    10,000 asked = 9,940 opened + 12 not opened: generator_limit + 48 not opened: timeout",
            "lost 3  phantom 0",
            "(indeterminate 17)",
            "MISSED delivery.p99 < 25ms during steady: 31.7",
            "verdict    failed (exit code 4)",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn what_does_not_sum_is_said_aloud() {
        let mut report = sample::passed();
        report.counts.opened -= 1;
        assert!(summary(&report).contains("1 ARE NOT ACCOUNTED FOR"));
    }

    #[test]
    fn a_class_name_cannot_drive_the_terminal() {
        let mut report = sample::passed();
        report.failures.insert("\u{1b}[2J".into(), 1);
        assert!(!summary(&report).contains('\u{1b}'));
    }
}
