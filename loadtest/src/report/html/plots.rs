//! Which plots a report has, and the timeline that names the numbers on them.

use super::axis::{Fold, Time, tick_time};
use super::plot::{Line, Plot, Unit, phase_class};
use super::{escape, section};
use crate::report::data::{Report, Second};
use crate::report::words;
use std::fmt::Write as _;

pub fn write(page: &mut String, report: &Report, time: &Time) {
    if report.series.is_empty() {
        return;
    }
    let bin = match time.step_s {
        1 => "one second".to_owned(),
        step => format!("{}: rates are means, percentiles and peaks the worst second's", words::seconds(f64::from(step))),
    };
    let lead = format!(
        "Time runs from the first intended moment; a point is {bin}. Latency belongs to the second in which a message was <em>meant</em> to \
         leave, so a stall shows at its full length."
    );
    section(page, "time", "Over time", &lead);
    timeline(page, time);
    let _ = writeln!(page, "<div class=\"plots\" data-step=\"{}\" data-end=\"{}\">", time.step_s, time.end_s);
    for plot in traffic(time).into_iter().chain(machines(time, words::lag_allowed_ms(report))).filter(|plot| !plot.is_empty()) {
        plot.write(page, time);
    }
    page.push_str("</div>\n");
    table(page, report, time);
    page.push_str("</section>\n");
}

fn timeline(page: &mut String, time: &Time) {
    page.push_str("<div class=\"timeline\">\n<ul class=\"phases\">");
    for phase in time.phases {
        let (class, name) = (phase_class(&phase.phase), escape(&phase.phase));
        let _ = write!(
            page,
            "<li><i class=\"swatch {class}\"></i>{name} <small>{}–{}</small></li>",
            tick_time(phase.from_s),
            tick_time(phase.to_s)
        );
    }
    page.push_str("</ul>\n");
    if !time.marks.is_empty() {
        page.push_str("<ol class=\"marks\">");
        for (index, mark) in time.marks.iter().enumerate() {
            let _ = write!(page, "<li><b>{}</b>{} <small>{}</small></li>", index + 1, escape(&mark.what), words::seconds(mark.at_s));
        }
        page.push_str("</ol>\n");
    }
    page.push_str("</div>\n");
}

fn line(time: &Time, name: &'static str, fold: Fold, of: impl Fn(&Second) -> f64) -> Line {
    Line { name, values: time.values(fold, of) }
}

fn reading(time: &Time, name: &'static str, fold: Fold, of: impl Fn(&Second) -> f64) -> Line {
    Line { name, values: time.readings(fold, of) }
}

fn plot(title: &'static str, unit: Unit, lines: Vec<Line>) -> Plot {
    Plot { title, note: "", unit, logarithmic: false, limit: None, lines }
}

fn traffic(time: &Time) -> Vec<Plot> {
    let rates = vec![
        line(time, "sent", Fold::Mean, |row| row.sent as f64),
        line(time, "acknowledged", Fold::Mean, |row| row.acked as f64),
        line(time, "delivered", Fold::Mean, |row| row.delivered as f64),
    ];
    let ack = vec![
        line(time, "p50", Fold::MeanOfSome, |row| row.ack_p50_ms),
        line(time, "p99", Fold::MaxOfSome, |row| row.ack_p99_ms),
        line(time, "max", Fold::MaxOfSome, |row| row.ack_max_ms),
    ];
    let delivery =
        vec![line(time, "p50", Fold::MeanOfSome, |row| row.delivery_p50_ms), line(time, "p99", Fold::MaxOfSome, |row| row.delivery_p99_ms)];
    vec![
        plot("Messages per second", Unit::PerSecond, rates),
        Plot { logarithmic: true, ..plot("Latency to the acknowledgement", Unit::Milliseconds, ack) },
        Plot { logarithmic: true, ..plot("Latency to the other person", Unit::Milliseconds, delivery) },
        plot("Failed per second", Unit::PerSecond, vec![line(time, "failed or refused", Fold::Mean, |row| row.failed as f64)]),
        plot("In flight", Unit::Number, vec![reading(time, "sent, not answered", Fold::Max, |row| row.in_flight as f64)]),
        plot("Sockets open", Unit::Number, vec![reading(time, "sockets", Fold::Mean, |row| row.sockets as f64)]),
    ]
}

fn machines(time: &Time, lag_allowed_ms: f64) -> Vec<Plot> {
    let rss = vec![reading(time, "resident", Fold::Max, |row| row.server_rss_bytes as f64)];
    vec![
        Plot {
            note: "How late the generator sent. Above the line the generator, not the server, made the latencies.",
            limit: Some((lag_allowed_ms, format!("{} allowed", words::ms(lag_allowed_ms)))),
            ..plot("Schedule lag", Unit::Milliseconds, vec![line(time, "p99", Fold::MaxOfSome, |row| row.lag_p99_ms)])
        },
        Plot {
            note: "Of the cores it may use.",
            limit: Some((0.7, "70 % allowed".to_owned())),
            ..plot("Generator CPU", Unit::Part, vec![reading(time, "busy", Fold::Mean, |row| row.generator_cpu)])
        },
        Plot {
            note: "100 % is one whole core.",
            ..plot("Server CPU", Unit::Part, vec![reading(time, "busy", Fold::Mean, |row| row.server_cpu)])
        },
        plot("Server memory", Unit::Bytes, rss),
        plot("Server open files", Unit::Number, vec![reading(time, "files and sockets", Fold::Max, |row| row.server_files as f64)]),
        plot("Load of the machine", Unit::Plain, vec![reading(time, "load average, 1 min", Fold::Mean, |row| row.load1)]),
        Plot {
            note: "Of all cores. Another guest on this host took it; neither server nor generator had it.",
            ..plot("CPU stolen by the hypervisor", Unit::Part, vec![reading(time, "steal", Fold::Max, |row| row.steal)])
        },
    ]
}

/// The same for whoever reads with a screen reader or copies into a sheet.
fn table(page: &mut String, report: &Report, time: &Time) {
    let columns: [(&str, Unit, Vec<f64>); 9] = [
        ("sent", Unit::PerSecond, time.values(Fold::Mean, |row| row.sent as f64)),
        ("acknowledged", Unit::PerSecond, time.values(Fold::Mean, |row| row.acked as f64)),
        ("delivered", Unit::PerSecond, time.values(Fold::Mean, |row| row.delivered as f64)),
        ("failed", Unit::PerSecond, time.values(Fold::Mean, |row| row.failed as f64)),
        ("in flight", Unit::Number, time.values(Fold::Max, |row| row.in_flight as f64)),
        ("ack p50", Unit::Milliseconds, time.values(Fold::MeanOfSome, |row| row.ack_p50_ms)),
        ("ack p99", Unit::Milliseconds, time.values(Fold::MaxOfSome, |row| row.ack_p99_ms)),
        ("delivery p99", Unit::Milliseconds, time.values(Fold::MaxOfSome, |row| row.delivery_p99_ms)),
        ("lag p99", Unit::Milliseconds, time.values(Fold::MaxOfSome, |row| row.lag_p99_ms)),
    ];
    let _ = write!(
        page,
        "<details><summary>The {} points as a table</summary>\n<div class=\"scroll\"><table class=\"dense\"><thead><tr><th>at</th>",
        time.len()
    );
    columns.iter().for_each(|(name, _, _)| page.push_str(&format!("<th>{name}</th>")));
    page.push_str("</tr></thead><tbody>\n");
    for bin in 0..time.len() {
        let at_s = bin as f64 * f64::from(time.step_s);
        let phase = report.phases.iter().find(|phase| at_s >= phase.from_s && at_s < phase.to_s);
        let class = phase.map_or("calm", |phase| phase_class(&phase.phase));
        let _ = write!(page, "<tr class=\"{class}\"><td>{}</td>", tick_time(at_s));
        columns.iter().for_each(|(_, unit, values)| page.push_str(&format!("<td>{}</td>", unit.text(values[bin]))));
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table></div></details>\n");
}
