//! A summary short enough for a pull request: verdict, figures, what was missed. The page and the JSON hold the rest.

use super::accounting::accounts;
use super::data::{Percentiles, Report, Verdict};
use super::words;
use std::fmt::Write as _;

pub fn render(report: &Report) -> String {
    let mark = match report.verdict {
        Verdict::Pass => "✅",
        Verdict::Fail => "❌",
        Verdict::Invalid => "⚠️",
    };
    let mut text = format!("### {mark} `{}`: {}\n\n", code(&report.scenario), escape(&words::headline(report)));
    for reason in &report.reasons {
        let _ = writeln!(text, "- {}", escape(reason));
    }
    if !report.reasons.is_empty() {
        text.push('\n');
    }
    latencies(&mut text, report);
    if !report.slo.is_empty() {
        text.push_str("| objective | measured | |\n|---|---:|---|\n");
        for slo in &report.slo {
            let held = if slo.held { "held" } else { "**missed**" };
            let _ = writeln!(text, "| {} | {} | {held} |", escape(&slo.rule), words::measured(slo));
        }
        text.push('\n');
    }
    for account in accounts(report) {
        let parts: Vec<String> = account
            .parts
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| format!("{} {}", words::count(*count), escape(name)))
            .collect();
        let _ = writeln!(text, "- {} {} = {}", words::count(account.whole), account.whole_name, parts.join(" + "));
        if account.difference() != 0 {
            let _ = writeln!(text, "- **{} {} are not accounted for**", account.difference(), account.whole_name);
        }
    }
    let (server, generator) = (&report.server, &report.generator);
    if server.rss_bytes > 0 {
        let _ = writeln!(
            text,
            "- server: {} (peak {}), {} a socket, {} s of CPU",
            words::bytes(server.rss_bytes),
            words::bytes(server.rss_max_bytes),
            words::bytes(server.rss_per_socket_bytes),
            words::trimmed(server.cpu_seconds, 1)
        );
    }
    let _ = writeln!(text, "- generator: p99 {} late, {} busy", words::ms(generator.lag_p99_ms), words::percent(generator.cpu_busy));
    let _ = writeln!(
        text,
        "\n`{}`  \nseed {} · schedule `{}` · git `{}` · {} · {}",
        code(&report.environment.command),
        report.seed,
        code(&report.schedule_hash),
        code(&report.environment.git),
        escape(&report.environment.cpu),
        escape(&report.environment.kernel)
    );
    text
}

fn latencies(text: &mut String, report: &Report) {
    let measured: Vec<_> = report.metrics.iter().filter(|(_, metric)| metric.count > 0).collect();
    if measured.is_empty() {
        return;
    }
    text.push_str("| metric | samples | p50 | p90 | p99 | p99.9 | max |\n|---|---:|---:|---:|---:|---:|---:|\n");
    for (name, metric) in measured {
        let Percentiles { p50, p90, p99, p999, max } = metric.percentiles_ms;
        let cells = [p50, p90, p99, p999, max].map(words::ms).join(" | ");
        let _ = writeln!(text, "| {} | {} | {cells} |", escape(name), words::count(metric.count));
    }
    text.push('\n');
}

/// Text from outside: neither table, nor markup, nor HTML, nor a mention.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' => escaped.push(' '),
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '@' => escaped.push_str("&#64;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' | '~' => escaped.extend(['\\', character]),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Inside backquotes nothing is markup but the backquote and the end of the line.
fn code(text: &str) -> String {
    text.replace('`', "'").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_pull_request_gets_verdict_figures_and_how_to_repeat_it() {
        let text = render(&sample::passed());
        assert!(text.starts_with("### ✅ `reconnect`: Passed: "), "{text}");
        assert!(text.contains("| ack |") && text.contains("| ack.p99 &lt; 20ms during steady | 11.4 ms | held |"), "{text}");
        assert!(text.contains("- 10,000 sockets asked = 10,000 opened\n") && text.contains("seed 42"), "{text}");
        assert!(text.lines().count() < 30, "short");
    }

    #[test]
    fn what_failed_stands_first() {
        let text = render(&sample::failed());
        let reason = text.find("3 messages were acknowledged").unwrap();
        assert!(reason < text.find("| metric").unwrap() && text.contains("**missed**"));
        assert!(text.contains("&lt;somebody>") && !text.contains("<somebody>"));
        assert!(render(&sample::invalid()).starts_with("### ⚠️"));
    }

    #[test]
    fn a_name_cannot_break_the_table() {
        let mut report = sample::passed();
        report.slo[0].rule = "a|b\n@c `d`".into();
        report.slo[0].measured = 11.4;
        assert!(render(&report).contains("| a\\|b &#64;c \\`d\\` | 11.4 | held |"));
    }
}
