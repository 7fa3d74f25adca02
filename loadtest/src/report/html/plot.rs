//! One plot over time as inline SVG: bands of the phases, numbered lines of the faults, a grid, one to three lines.
//!
//! Colours come from the style sheet (`.s1` …), so that dark mode and print need no second drawing.

use super::axis::{Time, Values, tick_time};
use super::escape;
use crate::report::words;
use std::fmt::Write as _;

pub const WIDTH: f64 = 560.0;
pub const HEIGHT: f64 = 190.0;
pub const LEFT: f64 = 66.0;
pub const RIGHT: f64 = 10.0;
const TOP: f64 = 18.0;
const BOTTOM: f64 = 26.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Milliseconds,
    Number,
    PerSecond,
    Bytes,
    /// Part of a whole, 0 to 1.
    Part,
    Plain,
}

impl Unit {
    pub fn text(self, value: f64) -> String {
        match self {
            _ if !value.is_finite() => "–".to_owned(),
            Self::Milliseconds => words::ms(value),
            Self::Number => words::count(value.round() as u64),
            Self::PerSecond => words::per_second(value),
            Self::Bytes => words::bytes(value as u64),
            Self::Part => words::percent(value),
            Self::Plain => words::trimmed(value, 2),
        }
    }

    /// The read-out under the pointer formats by this name.
    fn name(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::Number => "n",
            Self::PerSecond => "rate",
            Self::Bytes => "bytes",
            Self::Part => "part",
            Self::Plain => "plain",
        }
    }

    fn tick(self, value: f64) -> String {
        match self {
            Self::Milliseconds if value == 0.0 => "0".to_owned(),
            Self::Number if value < 10.0 => words::trimmed(value, 2),
            Self::PerSecond if value >= 10.0 => words::count(value.round() as u64),
            Self::PerSecond => words::trimmed(value, 2),
            other => other.text(value),
        }
    }
}

#[derive(Debug)]
pub struct Line {
    pub name: &'static str,
    pub values: Vec<f64>,
}

#[derive(Debug)]
pub struct Plot {
    pub title: &'static str,
    /// What the value means, where the title does not say it.
    pub note: &'static str,
    pub unit: Unit,
    pub logarithmic: bool,
    /// Drawn across the plot: what is allowed.
    pub limit: Option<(f64, String)>,
    pub lines: Vec<Line>,
}

impl Plot {
    fn axis(&self) -> Values {
        let all = || self.lines.iter().flat_map(|line| line.values.iter().copied()).filter(|value| value.is_finite());
        let limit = self.limit.as_ref().map(|(value, _)| *value);
        let highest = all().chain(limit).fold(f64::NAN, f64::max);
        match (self.logarithmic, self.unit) {
            (true, _) => Values::logarithmic(all().filter(|value| *value > 0.0).fold(f64::NAN, f64::min), highest),
            (false, Unit::Bytes) => Values::bytes(highest),
            (false, _) => Values::linear(highest),
        }
    }

    /// Nothing measured anywhere: not worth a plot.
    pub fn is_empty(&self) -> bool {
        !self.lines.iter().any(|line| line.values.iter().any(|value| value.is_finite() && *value != 0.0))
    }

    pub fn write(&self, page: &mut String, time: &Time) {
        let _ = write!(page, "<figure class=\"plot\" data-unit=\"{}\">\n<figcaption><h3>{}</h3>", self.unit.name(), self.title);
        page.push_str("<p class=\"keys\">");
        for (index, line) in self.lines.iter().enumerate() {
            let peak = line.values.iter().copied().filter(|value| value.is_finite()).fold(f64::NAN, f64::max);
            let _ = write!(
                page,
                "<span class=\"key\"><svg viewBox=\"0 0 18 8\" aria-hidden=\"true\"><path class=\"line s{0}\" d=\"M1 4H17\"/></svg>{1} \
                 <output data-rest=\"max {2}\">max {2}</output></span>",
                index + 1,
                line.name,
                self.unit.text(peak)
            );
        }
        page.push_str("</p></figcaption>\n");
        let axis = self.axis();
        let _ = write!(page, "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{} over time\">", self.title);
        bands(page, time);
        self.grid(page, &axis, time);
        for (index, line) in self.lines.iter().enumerate() {
            let _ = write!(page, "<path class=\"line s{}\" d=\"{}\"/>", index + 1, path(line, &axis, time));
        }
        flags(page, time);
        page.push_str("<line class=\"cross\" hidden/></svg>\n");
        if !self.note.is_empty() {
            let _ = writeln!(page, "<p class=\"note\">{}</p>", self.note);
        }
        self.data(page);
        page.push_str("</figure>\n");
    }

    fn grid(&self, page: &mut String, axis: &Values, time: &Time) {
        for tick in &axis.ticks {
            let y = across(axis.place(*tick));
            let _ = write!(page, "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{:.1}\"/>", WIDTH - RIGHT);
            let _ = write!(
                page,
                "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 6.0,
                y + 4.0,
                self.unit.tick(*tick)
            );
        }
        for tick in time.ticks() {
            let x = along(tick, time);
            let anchor = if x > WIDTH - 40.0 { "end" } else { "middle" };
            let _ = write!(
                page,
                "<text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
                HEIGHT - 8.0,
                tick_time(tick)
            );
        }
        if let Some((value, name)) = &self.limit {
            let y = across(axis.place(*value));
            let _ = write!(page, "<path class=\"limit\" d=\"M{LEFT} {y:.1}H{:.1}\"/>", WIDTH - RIGHT);
            let y = if y < TOP + 14.0 { y + 14.0 } else { y - 5.0 };
            let x = WIDTH - RIGHT - 4.0;
            let _ = write!(page, "<text class=\"limit-name\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"end\">{}</text>", escape(name));
        }
    }

    /// The values once more, for the read-out: numbers only, so nothing can end the element.
    fn data(&self, page: &mut String) {
        page.push_str("<script type=\"application/json\">[");
        for (index, line) in self.lines.iter().enumerate() {
            page.push_str(if index > 0 { ",[" } else { "[" });
            for (index, value) in line.values.iter().enumerate() {
                let comma = if index > 0 { "," } else { "" };
                let _ = match value.is_finite() {
                    true => write!(page, "{comma}{}", words::trimmed(*value, 3)),
                    false => write!(page, "{comma}null"),
                };
            }
            page.push(']');
        }
        page.push_str("]</script>\n");
    }
}

fn along(at_s: f64, time: &Time) -> f64 {
    LEFT + (at_s / time.end_s).clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
}

fn across(part: f64) -> f64 {
    HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)
}

fn path(line: &Line, axis: &Values, time: &Time) -> String {
    let mut path = String::new();
    let mut pen_down = false;
    for (bin, value) in line.values.iter().enumerate() {
        if !value.is_finite() {
            pen_down = false;
            continue;
        }
        let (x, y) = (along(time.at_s(bin), time), across(axis.place(*value)));
        // A lone point between two gaps is a line of no length, which a round cap makes a dot.
        let _ = if pen_down { write!(path, "L{x:.1} {y:.1}") } else { write!(path, "M{x:.1} {y:.1}h0") };
        pen_down = true;
    }
    path
}

/// The colour of a phase says whether the server was well.
pub fn phase_class(phase: &str) -> &'static str {
    match phase {
        "fault" | "during" => "fault",
        "recovery" => "recovery",
        "warmup" | "connecting" | "ramp" => "warmup",
        _ => "calm",
    }
}

fn bands(page: &mut String, time: &Time) {
    for phase in time.phases {
        let (from, to) = (along(phase.from_s, time), along(phase.to_s, time));
        let _ = write!(
            page,
            "<rect class=\"band {}\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"><title>{}</title></rect>",
            phase_class(&phase.phase),
            (to - from).max(0.0),
            HEIGHT - TOP - BOTTOM,
            escape(&phase.phase)
        );
    }
}

fn flags(page: &mut String, time: &Time) {
    let mut free = 0.0;
    for (index, mark) in time.marks.iter().enumerate() {
        let x = along(mark.at_s, time);
        // Numbers of marks that follow each other at once stand side by side.
        let at = x.max(free);
        free = at + 17.0;
        let _ = write!(
            page,
            "<g class=\"flag\"><title>{} at {}</title><path d=\"M{x:.1} {TOP}V{:.1}\"/><circle cx=\"{at:.1}\" cy=\"9\" r=\"8\"/>\
             <text x=\"{at:.1}\" y=\"13\" text-anchor=\"middle\">{}</text></g>",
            escape(&mark.what),
            words::seconds(mark.at_s),
            HEIGHT - BOTTOM,
            index + 1
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_gap_lifts_the_pen_and_a_lone_point_is_a_dot() {
        let report = sample::passed();
        let time = Time::new(&report);
        let mut values = vec![f64::NAN; time.len()];
        (values[0], values[1], values[5]) = (1.0, 2.0, 3.0);
        let drawn = path(&Line { name: "x", values }, &Values::linear(4.0), &time);
        assert_eq!((drawn.matches('M').count(), drawn.matches('L').count(), drawn.matches("h0").count()), (2, 1, 2), "{drawn}");
    }

    #[test]
    fn faults_and_phases_lie_on_every_plot() {
        let report = sample::passed();
        let time = Time::new(&report);
        let line = Line { name: "sent", values: time.values(super::super::axis::Fold::Mean, |row| row.sent as f64) };
        let plot = Plot {
            title: "T",
            note: "",
            unit: Unit::PerSecond,
            logarithmic: false,
            limit: Some((6_000.0, "allowed".into())),
            lines: vec![line],
        };
        let mut svg = String::new();
        plot.write(&mut svg, &time);
        assert_eq!(svg.matches("class=\"flag\"").count(), report.marks.len());
        assert_eq!(svg.matches("class=\"band ").count(), report.phases.len());
        assert!(svg.contains("<title>kill9 at 50 s</title>") && svg.contains("class=\"limit\""));
    }
}
