//! The panels of the dashboard. Text from outside cannot drive the terminal: ratatui drops control characters from what it draws.

use crate::report::data::{Live, Second};
use crate::report::words;
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType, LegendPosition, LineGauge, Paragraph, Row, Sparkline, Table};

fn phase_colour(phase: &str) -> Color {
    match phase {
        "fault" => Color::Red,
        "recovery" | "connecting" => Color::Yellow,
        "warmup" | "reading back" => Color::Blue,
        _ => Color::Green,
    }
}

pub fn head(live: &Live) -> Paragraph<'_> {
    let mut spans = vec![
        Span::raw(" "),
        Span::raw(live.scenario.as_str()).bold(),
        Span::raw(format!("  {} people  ", words::count(live.users))),
        Span::raw(live.targets.join(" ")).fg(Color::DarkGray),
    ];
    let wrong = live.counts.violation_count();
    if wrong > 0 {
        spans.insert(2, Span::raw(format!("  {} VIOLATIONS ", words::count(wrong))).fg(Color::White).bg(Color::Red).bold());
    }
    Paragraph::new(Line::from(spans))
}

pub fn progress(live: &Live) -> LineGauge<'_> {
    let (ratio, of) = if live.total_s > 0.0 {
        ((live.elapsed_s / live.total_s).clamp(0.0, 1.0), format!(" of {}", words::seconds(live.total_s)))
    } else {
        (0.0, String::new())
    };
    let label = Line::from(vec![
        Span::raw(format!(" {} ", live.phase)).fg(phase_colour(&live.phase)).bold(),
        Span::raw(format!("{:.0} s{of} ", live.elapsed_s)),
    ]);
    LineGauge::default().ratio(ratio).label(label).filled_style(Style::new().fg(phase_colour(&live.phase)))
}

type Points = Vec<(f64, f64)>;

/// Seconds before now, and the value; what is not there is no point.
fn points(live: &Live, of: impl Fn(&Second) -> f64) -> Points {
    let now = live.recent.last().map_or(0.0, |row| f64::from(row.at_s));
    let point = |row: &Second| (f64::from(row.at_s) - now, of(row));
    live.recent.iter().map(point).filter(|(_, value)| value.is_finite()).collect()
}

/// Faults and phase changes as upright lines.
fn marks(live: &Live, bounds: [f64; 2]) -> Vec<Points> {
    let now = live.recent.last().map_or(0.0, |row| f64::from(row.at_s));
    let from = live.recent.first().map_or(0.0, |row| f64::from(row.at_s));
    let upright = |at_s: f64| vec![(at_s - now, bounds[0]), (at_s - now, bounds[1])];
    live.marks.iter().map(|mark| mark.at_s).filter(|at_s| *at_s >= from && *at_s <= now).map(upright).collect()
}

struct Curve {
    name: String,
    points: Points,
    colour: Color,
}

fn chart(frame: &mut Frame, area: Rect, title: Line<'_>, live: &Live, curves: &[Curve], y: ([f64; 2], Vec<String>)) {
    let (bounds, labels) = y;
    let marks = marks(live, bounds);
    let line = |points| Dataset::default().marker(Marker::Braille).graph_type(GraphType::Line).data(points);
    let mut sets: Vec<Dataset> = marks.iter().map(|points| line(points).style(Style::new().fg(Color::DarkGray))).collect();
    sets.extend(curves.iter().map(|curve| line(&curve.points).name(curve.name.as_str()).style(Style::new().fg(curve.colour))));
    let seconds = (live.recent.len() as f64 - 1.0).max(10.0);
    let grey = Style::new().fg(Color::DarkGray);
    let x = Axis::default().bounds([-seconds, 0.0]).labels([format!("-{seconds:.0} s"), "now".to_owned()]).style(grey);
    let y = Axis::default().bounds(bounds).labels(labels).labels_alignment(Alignment::Right).style(grey);
    let chart = Chart::new(sets)
        .block(Block::bordered().title(title).border_style(grey))
        .x_axis(x)
        .y_axis(y)
        .legend_position(Some(LegendPosition::BottomLeft))
        .hidden_legend_constraints((Constraint::Ratio(1, 2), Constraint::Ratio(1, 2)));
    frame.render_widget(chart, area);
}

fn highest(curves: &[Curve]) -> f64 {
    curves.iter().flat_map(|curve| &curve.points).map(|(_, value)| *value).fold(0.0, f64::max)
}

pub fn rates(frame: &mut Frame, area: Rect, live: &Live) {
    let row = &live.second;
    let curve = |name: &str, colour, of: fn(&Second) -> f64| Curve { name: name.to_owned(), points: points(live, of), colour };
    let mut curves = vec![
        curve("sent", Color::DarkGray, |row| row.sent as f64),
        curve("acked", Color::Green, |row| row.acked as f64),
        curve("delivered", Color::Cyan, |row| row.delivered as f64),
    ];
    if live.recent.iter().any(|row| row.failed > 0) {
        curves.push(curve("failed", Color::Red, |row| row.failed as f64));
    }
    let top = (highest(&curves) * 1.1).max(1.0);
    let mut title = vec![
        Span::raw(format!(" sent {} ", words::per_second(row.sent as f64))).fg(Color::Gray),
        Span::raw(format!("acked {} ", words::per_second(row.acked as f64))).fg(Color::Green),
    ];
    if row.failed > 0 {
        title.push(Span::raw(format!("FAILED {} ", words::per_second(row.failed as f64))).fg(Color::Red).bold());
    } else {
        title.push(Span::raw(format!("delivered {} ", words::per_second(row.delivered as f64))).fg(Color::Cyan));
    }
    let labels = [0.0, top / 2.0, top].map(|value| words::count(value.round() as u64)).to_vec();
    chart(frame, area, Line::from(title), live, &curves, ([0.0, top], labels));
}

/// Logarithmic, because a stall is a thousand times the calm.
pub fn latencies(frame: &mut Frame, area: Rect, live: &Live) {
    let curve = |name: &str, colour, of: fn(&Second) -> f64| {
        let points = points(live, move |row| if of(row) > 0.0 { of(row).log10() } else { f64::NAN });
        Curve { name: name.to_owned(), points, colour }
    };
    let curves = [
        curve("ack p50", Color::Green, |row| row.ack_p50_ms),
        curve("ack p99", Color::Yellow, |row| row.ack_p99_ms),
        curve("delivery p99", Color::Magenta, |row| row.delivery_p99_ms),
    ];
    let all = || curves.iter().flat_map(|curve| &curve.points).map(|(_, value)| *value);
    let (low, high) = all().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let bounds = if low.is_finite() { [low.floor(), high.ceil().max(low.floor() + 1.0)] } else { [0.0, 1.0] };
    let decades = (bounds[1] - bounds[0]).round() as i32;
    let labels = (0..=decades).map(|decade| words::ms(10f64.powf(bounds[0] + f64::from(decade)))).collect();
    let row = &live.second;
    let title = Line::from(vec![
        Span::raw(format!(" ack p50 {} ", words::ms(row.ack_p50_ms))).fg(Color::Green),
        Span::raw(format!("p99 {} ", words::ms(row.ack_p99_ms))).fg(Color::Yellow),
    ]);
    chart(frame, area, title, live, &curves, (bounds, labels));
}

pub fn meters(frame: &mut Frame, cells: [Rect; 4], live: &Live) {
    let row = &live.second;
    let lag = Style::new().fg(if row.lag_p99_ms > 1.0 { Color::Red } else { Color::Blue });
    type Meter = (String, Style, fn(&Second) -> f64);
    let meters: [Meter; 4] = [
        (format!(" server {} cores ", words::trimmed(row.server_cpu, 2)), Style::new().fg(Color::Green), |row| row.server_cpu),
        (format!(" memory {} ", words::bytes(row.server_rss_bytes)), Style::new().fg(Color::Cyan), |row| row.server_rss_bytes as f64 / 1e6),
        (format!(" in flight {} ", words::count(row.in_flight)), Style::new().fg(Color::Yellow), |row| row.in_flight as f64),
        (format!(" late p99 {} ", words::ms(row.lag_p99_ms)), lag, |row| row.lag_p99_ms),
    ];
    for ((title, style, of), area) in meters.into_iter().zip(cells) {
        let width = usize::from(area.width.saturating_sub(2));
        let newest = live.recent.len().saturating_sub(width);
        let values = live.recent[newest..].iter().map(|row| (of(row).max(0.0) * 1000.0) as u64);
        let block = Block::bordered().title(title).border_style(Style::new().fg(Color::DarkGray));
        frame.render_widget(Sparkline::default().block(block).data(values).style(style), area);
    }
}

/// Over the measured time so far. A narrow panel has no room for every percentile.
pub fn percentiles(frame: &mut Frame, area: Rect, live: &Live) {
    let wide = area.width >= 56;
    let chosen = |[p50, p90, p99, p999, max]: [String; 5]| if wide { vec![p50, p90, p99, p999, max] } else { vec![p50, p99, p999, max] };
    let rows = live.metrics_ms.iter().map(|(name, p)| {
        let figures = chosen([p.p50, p.p90, p.p99, p.p999, p.max].map(words::ms));
        Row::new(std::iter::once(name.clone()).chain(figures))
    });
    let names = chosen(["p50", "p90", "p99", "p99.9", "max"].map(str::to_owned));
    let widths = std::iter::once(Constraint::Min(9)).chain(names.iter().map(|_| Constraint::Length(7)));
    let head = Row::new(std::iter::once("measured".to_owned()).chain(names.clone())).style(Style::new().fg(Color::DarkGray));
    let block = Block::bordered().title(" latency ").border_style(Style::new().fg(Color::DarkGray));
    frame.render_widget(Table::new(rows, widths).header(head).block(block).column_spacing(1), area);
}

/// Violations first and red, then what failed, then the newest marks: the lines that fit.
pub fn findings(frame: &mut Frame, area: Rect, live: &Live) {
    let mut lines: Vec<Line> = Vec::new();
    for (class, count) in words::violations(&live.counts) {
        lines.push(Line::from(format!(" {}", words::found(class, count))).style(Style::new().fg(Color::Red).add_modifier(Modifier::BOLD)));
    }
    let sockets = format!(" sockets {} of {} opened", words::count(live.counts.opened), words::count(live.counts.asked));
    lines.push(Line::from(sockets));
    for (class, count) in live.not_opened.iter().chain(&live.failures) {
        lines.push(Line::from(format!(" {} {class}", words::count(*count))).fg(Color::Yellow));
    }
    for mark in live.marks.iter().rev() {
        lines.push(Line::from(format!(" {:>6}  {}", words::seconds(mark.at_s), mark.what)).fg(Color::DarkGray));
    }
    let title = if live.counts.violation_count() > 0 { " findings: THE SERVER IS WRONG " } else { " findings " };
    let colour = if live.counts.violation_count() > 0 { Color::Red } else { Color::DarkGray };
    let block = Block::bordered().title(title).border_style(Style::new().fg(colour));
    frame.render_widget(Paragraph::new(lines).block(block), area);
}
