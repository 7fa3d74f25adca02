//! The dashboard's layout: what stands where at which size. Each panel draws itself (`panels`).

use super::panels;
use crate::report::data::Live;
use crate::report::lines;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Style};
use ratatui::widgets::{Paragraph, Wrap};

/// Below this there is room for a sentence, not for a picture.
const WIDTH_MIN: u16 = 60;
const HEIGHT_MIN: u16 = 18;

pub fn draw(frame: &mut Frame, live: &Live, stopping: bool) {
    let area = frame.area();
    if area.width < WIDTH_MIN || area.height < HEIGHT_MIN {
        frame.render_widget(Paragraph::new(lines::second(live)).wrap(Wrap { trim: true }), area);
        return;
    }
    let tall = area.height >= 32;
    let [head, progress, charts, meters, foot, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(8),
        Constraint::Length(if tall { 5 } else { 4 }),
        Constraint::Length(if tall { 12 } else { 8 }),
        Constraint::Length(1),
    ])
    .areas(area);
    frame.render_widget(panels::head(live), head);
    frame.render_widget(panels::progress(live), progress);
    let [left, right] = Layout::horizontal([Constraint::Ratio(1, 2), Constraint::Ratio(1, 2)]).areas(charts);
    panels::rates(frame, left, live);
    panels::latencies(frame, right, live);
    let cells: [_; 4] = Layout::horizontal([Constraint::Ratio(1, 4); 4]).areas(meters);
    panels::meters(frame, cells, live);
    let [left, right] = Layout::horizontal([Constraint::Percentage(57), Constraint::Percentage(43)]).areas(foot);
    panels::percentiles(frame, left, live);
    panels::findings(frame, right, live);
    let text = if stopping { " stopping …" } else { " q stops the run" };
    frame.render_widget(Paragraph::new(text).style(Style::new().fg(Color::DarkGray)), keys);
}
