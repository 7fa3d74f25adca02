//! The tables of the engineer's half: figures by phase, the accounting, the classes of the ledger, the generator's honesty.

use super::plot::phase_class;
use super::{escape, section};
use crate::report::accounting::accounts;
use crate::report::data::{MetricSummary, Report};
use crate::report::words::{self, Checked};
use std::fmt::Write as _;

pub fn cell(text: &str) -> String {
    format!("<td>{}</td>", escape(text))
}

fn number(text: &str) -> String {
    format!("<td class=\"n\">{}</td>", escape(text))
}

pub fn phases(page: &mut String, report: &Report) {
    let whole = report.metrics.iter().filter(|(_, metric)| metric.count > 0);
    if whole.clone().next().is_none() {
        return;
    }
    section(
        page,
        "phases",
        "By phase",
        "Objectives are judged in the phase they name. What happened while the server was down belongs to the fault, not to the calm.",
    );
    page.push_str("<div class=\"scroll\"><table>\n<thead><tr><th>phase</th><th>metric</th>");
    for name in ["samples", "mean", "p50", "p90", "p99", "p99.9", "max"] {
        let _ = write!(page, "<th class=\"n\">{name}</th>");
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for phase in &report.phases {
        let range = format!("{} <small>{}–{}</small>", escape(&phase.phase), words::seconds(phase.from_s), words::seconds(phase.to_s));
        let class = phase_class(&phase.phase);
        for (name, metric) in phase.metrics.iter().filter(|(_, metric)| metric.count > 0) {
            row(page, class, &range, name, metric);
        }
    }
    whole.for_each(|(name, metric)| row(page, "whole", "all measured", name, metric));
    page.push_str("</tbody></table></div>\n</section>\n");
}

/// `phase` is markup already.
fn row(page: &mut String, class: &str, phase: &str, name: &str, metric: &MetricSummary) {
    let p = &metric.percentiles_ms;
    let _ = write!(page, "<tr class=\"{class}\"><td>{phase}</td>{}{}", cell(name), number(&words::count(metric.count)));
    [metric.mean_ms, p.p50, p.p90, p.p99, p.p999, p.max].iter().for_each(|value| page.push_str(&number(&words::ms(*value))));
    page.push_str("</tr>\n");
}

pub fn accounting(page: &mut String, report: &Report) {
    let lead = "Everything asked for is in exactly one line below; the parts sum to the whole, to the unit.";
    section(page, "accounting", "Accounting", lead);
    page.push_str("<div class=\"side\">\n");
    for account in accounts(report) {
        let caption = escape(account.whole_name);
        let _ = write!(page, "<div class=\"scroll\"><table><caption>{caption}</caption>\n<tbody>\n");
        for (name, count) in &account.parts {
            let _ = writeln!(page, "<tr>{}{}</tr>", cell(name), number(&words::count(*count)));
        }
        if account.difference() != 0 {
            let text = account.difference().to_string();
            let _ = writeln!(page, "<tr class=\"bad\"><td>not accounted for: the harness is wrong here</td>{}</tr>", number(&text));
        }
        let _ =
            writeln!(page, "</tbody>\n<tfoot><tr><td>{caption}</td>{}</tr></tfoot></table></div>", number(&words::count(account.whole)));
    }
    for (caption, classes) in [("failures by reason", &report.failures), ("meant to be refused, lost or shed", &report.expected)] {
        if classes.is_empty() {
            continue;
        }
        let _ = writeln!(page, "<div class=\"scroll\"><table><caption>{caption}</caption>\n<tbody>");
        for (class, count) in classes {
            let _ = writeln!(page, "<tr>{}{}</tr>", cell(class), number(&words::count(*count)));
        }
        page.push_str("</tbody></table></div>\n");
    }
    page.push_str("</div>\n</section>\n");
}

pub fn correctness(page: &mut String, report: &Report) {
    let counts = &report.counts;
    let looked = match words::checked(report) {
        Checked::Off => "<strong>This run did not check correctness.</strong> The zeros below mean nothing.".to_owned(),
        Checked::Part => format!(
            "A sample of {} messages was compared: sent, acknowledged, received and read back at the end.",
            words::count(counts.sent)
        ),
        Checked::Whole => format!(
            "{} messages were compared one by one: what was sent, what was acknowledged, what {} deliveries brought, and what a last read \
             found in the histories.",
            words::count(counts.sent),
            words::count(counts.delivered)
        ),
    };
    section(page, "correctness", "Correctness", &looked);
    page.push_str(
        "<div class=\"scroll\"><table>\n<thead><tr><th>class</th><th class=\"n\">found</th><th>means</th></tr></thead>\n<tbody>\n",
    );
    for (class, count) in counts.violations() {
        let style = if count > 0 { " class=\"bad\"" } else { "" };
        let name = class.replace('_', " ");
        let _ = writeln!(page, "<tr{style}>{}{}{}</tr>", cell(&name), number(&words::count(count)), cell(words::meaning(class)));
    }
    let _ = writeln!(
        page,
        "<tr class=\"open\"><td>indeterminate</td>{}<td>No answer came, and the last read could not tell. Neither a success nor a violation.</td></tr>",
        number(&words::count(counts.indeterminate))
    );
    page.push_str("</tbody></table></div>\n</section>\n");
}

pub fn generator(page: &mut String, report: &Report) {
    let generator = &report.generator;
    let lead = "A generator that is late or out of breath measures itself. Above either limit the verdict is invalid.";
    section(page, "generator", "Was the generator honest?", lead);
    page.push_str(
        "<div class=\"scroll\"><table>\n<thead><tr><th></th><th class=\"n\">measured</th><th>allowed</th></tr></thead>\n<tbody>\n",
    );
    let clock = format!("{} ± {}", words::ms(generator.clock_offset_ms.abs()), words::ms(generator.clock_error_ms));
    let lag_allowed_ms = words::lag_allowed_ms(report);
    let lag_text = format!("{}: a millisecond, or a tenth of the latency", words::ms(lag_allowed_ms));
    let rows = [
        ("sent late, p99", words::ms(generator.lag_p99_ms), lag_text.as_str(), generator.lag_p99_ms > lag_allowed_ms),
        ("sent late, median", words::ms(generator.lag_p50_ms), "", false),
        ("busy part of its cores", words::percent(generator.cpu_busy), "70 %", generator.cpu_busy > 0.7),
        ("its own memory", words::bytes(generator.rss_bytes), "", false),
        ("worker processes", generator.workers.to_string(), "", false),
        ("worst clock difference between workers", if generator.workers > 1 { clock } else { "one clock".to_owned() }, "", false),
    ];
    for (name, value, allowed, over) in rows {
        let class = if over { " class=\"bad\"" } else { "" };
        let _ = writeln!(page, "<tr{class}>{}{}{}</tr>", cell(name), number(&value), cell(allowed));
    }
    page.push_str("</tbody></table></div>\n</section>\n");
}
