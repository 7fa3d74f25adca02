//! A comparison as a text table.

use super::{Comparison, Finding, Row, Verdict};
use std::fmt::Write as _;

pub fn text(comparison: &Comparison) -> String {
    let mut text = String::new();
    let names: Vec<String> = comparison.rows.iter().map(|row| row.subject.to_string()).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(10);
    let _ = writeln!(text, "{:<width$}  {:>12}  {:>12}  {:<32}", "", "base", "new", "change (99 % interval)");
    for (name, row) in names.iter().zip(&comparison.rows) {
        let finding = match row.finding {
            Finding::Better => "better",
            Finding::Same => "same",
            Finding::Worse => "WORSE",
        };
        let (base, new) = (row.subject.show(row.base), row.subject.show(row.new));
        let _ = writeln!(text, "{name:<width$}  {base:>12}  {new:>12}  {:<32}  {finding}", change(row));
    }
    let (base, new) = comparison.violations;
    if base + new > 0 {
        let _ = writeln!(text, "{:<width$}  {base:>12}  {new:>12}", "violations");
    }
    for note in &comparison.notes {
        let _ = writeln!(text, "note: {note}");
    }
    let verdict = match comparison.verdict {
        Verdict::Better => "better than the baseline",
        Verdict::Same => "the same as the baseline",
        Verdict::Worse => "WORSE than the baseline: a regression",
        Verdict::Mixed => "MIXED, better here and worse there: a regression",
    };
    let _ = writeln!(text, "verdict: {verdict}");
    text
}

fn change(row: &Row) -> String {
    let unit = if row.subject.is_share() { "points" } else { "%" };
    let part = if row.subject.is_share() { row.new - row.base } else { row.new / row.base - 1.0 };
    let (part, low, high) = (part * 100.0, row.interval.low * 100.0, row.interval.high * 100.0);
    format!("{part:+.1} {unit} ({low:+.1} … {high:+.1})")
}
