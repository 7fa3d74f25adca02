//! The top of the page, for whoever decides: one sentence, why not when it did not pass, the figures that matter, the objectives.

use super::escape;
use super::tables::cell;
use crate::report::data::{Report, Verdict};
use crate::report::words::{self, Checked};
use std::fmt::Write as _;

pub fn write(page: &mut String, report: &Report) {
    let class = match report.verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Invalid => "invalid",
    };
    let headline = words::headline(report);
    let (verdict, rest) = headline.split_once(':').unwrap_or(("", &headline));
    let _ = write!(
        page,
        "<header class=\"{class}\">\n<p class=\"kicker\">Load test · {} · {} · {}</p>\n<h1>",
        escape(&report.scenario),
        escape(&date(&report.began_at)),
        words::seconds(report.duration_s)
    );
    if !verdict.is_empty() {
        let _ = write!(page, "<span class=\"verdict\">{}</span> ", escape(verdict));
    }
    let _ = writeln!(page, "{}</h1>", bound(rest.trim_start()));
    if !report.reasons.is_empty() {
        page.push_str("<ul class=\"reasons\">");
        report.reasons.iter().for_each(|reason| page.push_str(&format!("<li>{}</li>", bound(reason))));
        page.push_str("</ul>\n");
    }
    tiles(page, report);
    objectives(page, report);
    page.push_str("</header>\n");
}

/// Escaped, and no line breaks between a number and its unit.
fn bound(text: &str) -> String {
    let mut before = ' ';
    let glued = text.chars().map(|character| {
        let glue = character == ' ' && before.is_ascii_digit();
        before = character;
        if glue { '\u{a0}' } else { character }
    });
    escape(&glued.collect::<String>())
}

/// RFC 3339 as a person reads it.
fn date(rfc3339: &str) -> String {
    match (rfc3339.get(..10), rfc3339.get(10..11), rfc3339.get(11..16)) {
        (Some(day), Some("T"), Some(time)) if rfc3339.ends_with('Z') => format!("{day} {time} UTC"),
        _ => rfc3339.to_owned(),
    }
}

struct Tile {
    value: String,
    name: String,
    bad: bool,
}

fn tiles(page: &mut String, report: &Report) {
    let counts = &report.counts;
    let tile = |value: String, name: &str, bad: bool| Tile { value, name: name.to_owned(), bad };
    let mut tiles = Vec::new();
    if counts.sent > 0 {
        tiles.push(tile(words::per_second(words::throughput(report)), "messages acknowledged", false));
    }
    for name in words::leading(report) {
        let Some((within, whole)) = words::p99(report, name) else { continue };
        let what = match name {
            "ack" => "99 % acknowledged",
            "delivery" => "99 % with the other person",
            other => &format!("99 % of {other}"),
        };
        let whole = whole.map(|whole| format!(" while calm; {} over all", words::ms(whole))).unwrap_or_default();
        tiles.push(tile(words::ms(within), &format!("{what}{whole}"), false));
    }
    let wrong = counts.violation_count();
    match words::checked(report) {
        Checked::Off => tiles.push(tile("–".into(), "correctness was not checked", true)),
        Checked::Part => tiles.push(tile(words::count(wrong), "mistakes in the sample checked", wrong > 0)),
        Checked::Whole => tiles.push(tile(words::count(wrong), "lost, repeated, misplaced or leaked", wrong > 0)),
    }
    let sockets = format!("of {} sockets opened", words::count(counts.asked));
    tiles.push(tile(words::count(counts.opened), &sockets, counts.opened < counts.asked));
    if report.server.rss_bytes > 0 {
        tiles.push(tile(words::bytes(report.server.rss_max_bytes.max(report.server.rss_bytes)), "server memory at its peak", false));
        tiles.push(tile(format!("{} s", words::trimmed(report.server.cpu_seconds, 1)), "server CPU", false));
    }
    page.push_str("<dl class=\"tiles\">\n");
    for Tile { value, name, bad } in tiles {
        let class = if bad { " class=\"bad\"" } else { "" };
        let _ = writeln!(page, "<div{class}><dt>{}</dt><dd>{}</dd></div>", bound(&name), bound(&value));
    }
    page.push_str("</dl>\n");
}

fn objectives(page: &mut String, report: &Report) {
    if report.slo.is_empty() {
        page.push_str("<p class=\"note\">The plan set no objectives: only correctness and the generator's honesty were judged.</p>\n");
        return;
    }
    page.push_str("<div class=\"scroll\"><table><caption>Objectives</caption>\n<thead><tr><th>asked</th><th class=\"n\">measured</th><th></th></tr></thead>\n<tbody>\n");
    for slo in &report.slo {
        let (class, word) = match (report.verdict, slo.held) {
            (Verdict::Invalid, _) => ("open", "says nothing"),
            (_, true) => ("good", "✓ held"),
            (_, false) => ("bad", "✗ missed"),
        };
        let measured = words::measured(slo);
        let _ = writeln!(page, "<tr>{}<td class=\"n\">{measured}</td><td class=\"{class}\">{word}</td></tr>", cell(&slo.rule));
    }
    page.push_str("</tbody></table></div>\n");
}
