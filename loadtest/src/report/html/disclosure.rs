//! Everything a reader needs to repeat the run, and what its figures do not mean.

use super::{escape, section};
use crate::report::data::Report;
use crate::report::words::{self, Checked};
use std::fmt::Write as _;

pub fn write(page: &mut String, report: &Report) {
    let environment = &report.environment;
    section(page, "limits", "What these numbers do not mean", "");
    page.push_str("<ul class=\"prose\">\n");
    limits(report).iter().for_each(|limit| page.push_str(&format!("<li>{}</li>\n", escape(limit))));
    page.push_str("</ul>\n</section>\n");

    section(
        page,
        "disclosure",
        "Disclosure",
        "With this seed, plan and list of people the schedule and every byte sent are the same again.",
    );
    if !environment.warnings.is_empty() {
        page.push_str("<div class=\"warnings\"><h3>Found before the run, and run nevertheless</h3><ul>");
        environment.warnings.iter().for_each(|warning| page.push_str(&format!("<li>{}</li>", escape(warning))));
        page.push_str("</ul></div>\n");
    }
    let rows = [
        ("began", report.began_at.clone()),
        ("lasted", words::seconds(report.duration_s)),
        ("seed", report.seed.to_string()),
        ("schedule", report.schedule_hash.clone()),
        ("load generator", format!("{} (git {})", environment.loadtest_version, environment.git)),
        ("server", environment.server_version.clone()),
        ("kernel", environment.kernel.clone()),
        ("CPU", format!("{} ({} cores)", environment.cpu, environment.cores)),
        ("memory", words::bytes(environment.memory_bytes)),
        ("open files allowed", words::count(environment.files_max)),
        ("exit code", report.exit_code.to_string()),
    ];
    page.push_str("<dl class=\"facts\">\n");
    for (name, value) in rows {
        let _ = writeln!(page, "<dt>{name}</dt><dd>{}</dd>", escape(&value));
    }
    let plan = serde_json::to_string_pretty(&report.plan).unwrap_or_default();
    let _ = write!(
        page,
        "</dl>\n<h3>Command</h3>\n<pre>{}</pre>\n<h3>Plan as it ran</h3>\n<pre>{}</pre>\n</section>\n",
        escape(&environment.command),
        escape(&plan)
    );
}

/// What always has to be said, and what this run's own data make necessary.
fn limits(report: &Report) -> Vec<String> {
    let generator = &report.generator;
    let mut limits = Vec::new();
    if report.series.iter().any(|row| row.server_rss_bytes > 0) {
        limits.push(
            "Server and generator shared a machine: the network between them was the loopback, without its delays, losses and cables, and they \
             took processor time from each other."
                .to_owned(),
        );
    }
    limits.push(format!(
        "{} of load says nothing about leaks, compaction or growth over days; a soak run does.",
        words::seconds(report.duration_s)
    ));
    limits.push(
        "The people are programs: their pauses, lengths and hours follow the plan above, not your patients. Take the shape of your own days \
         before you size a machine by it."
            .to_owned(),
    );
    limits.push("Latency ends where the generator read the bytes. A telephone's radio, its browser and its screen come on top.".to_owned());
    if generator.workers <= 1 {
        limits.push(
            "One run is one sample: two runs on the same machine differ. Compare with a baseline and its interval, not by eye.".to_owned(),
        );
    } else {
        limits.push(format!(
            "Times between {} workers are only as good as their clocks: differences under {} are noise.",
            generator.workers,
            words::ms(generator.clock_offset_ms.abs() + generator.clock_error_ms)
        ));
    }
    match words::checked(report) {
        Checked::Off => limits.push("Correctness was not checked: a server that loses messages is fast.".to_owned()),
        Checked::Part => limits.push("Correctness was checked on a sample: rarer mistakes can be there.".to_owned()),
        Checked::Whole if report.counts.violation_count() == 0 && report.counts.sent > 0 => limits.push(format!(
            "None in {} messages excludes, with 95 % confidence, a rate above {} in a million; not every mistake for ever.",
            words::count(report.counts.sent),
            // The rule of three: no event in n trials bounds the rate at 3/n.
            words::trimmed(3e6 / report.counts.sent as f64, 2)
        )),
        Checked::Whole => {}
    }
    let steal = report.series.iter().map(|row| row.steal).fold(0.0, f64::max);
    if steal > 0.02 {
        limits.push(format!(
            "The hypervisor took up to {} of the processors away: the same run on a quiet host is faster.",
            words::percent(steal)
        ));
    }
    limits
}
