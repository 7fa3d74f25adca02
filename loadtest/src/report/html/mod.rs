//! The report as one HTML file: verdict, figures and objectives first, for whoever decides; below them everything an engineer
//! digs in. Nothing is loaded from elsewhere, and everything reads without the script (which only shows values under the pointer).
//!
//! Every text from outside goes through [`escape`].

mod axis;
mod curve;
mod disclosure;
mod plot;
mod plots;
mod summary;
mod tables;

use super::data::Report;
use super::words;
use axis::Time;

const STYLE: &str = include_str!("style.css");
const HOVER: &str = include_str!("hover.js");

pub fn render(report: &Report) -> String {
    let time = Time::new(report);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{}: {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n",
        escape(words::verdict(report.verdict)),
        escape(&report.scenario)
    );
    summary::write(&mut page, report);
    page.push_str("<main>\n");
    plots::write(&mut page, report, &time);
    curve::write(&mut page, report);
    tables::phases(&mut page, report);
    tables::accounting(&mut page, report);
    tables::correctness(&mut page, report);
    tables::generator(&mut page, report);
    disclosure::write(&mut page, report);
    page.push_str("</main>\n");
    page.push_str(&format!("<script>\n{HOVER}</script>\n</body>\n</html>\n"));
    page
}

/// Safe inside an element and inside a quoted attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A section of the engineer's half.
fn section(page: &mut String, id: &str, title: &str, lead: &str) {
    page.push_str(&format!("<section id=\"{id}\">\n<h2>{title}</h2>\n"));
    if !lead.is_empty() {
        page.push_str(&format!("<p class=\"lead\">{lead}</p>\n"));
    }
}

#[cfg(test)]
mod tests;
