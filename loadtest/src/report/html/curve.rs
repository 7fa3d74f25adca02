//! Percentile curves in the manner of HdrHistogram: each step to the right leaves ten times fewer samples.
//!
//! A curve ends where the samples end: 1,000 of them say nothing about the 99.999th percentile, and nothing is drawn there.

use super::axis::Values;
use super::plot::{HEIGHT, LEFT, RIGHT, WIDTH};
use super::{escape, section};
use crate::measure::Histogram;
use crate::report::data::{MetricSummary, Report};
use crate::report::words;
use std::fmt::Write as _;

/// 50 % … 99.999 %: with the part that lies above as `1 - p`.
const TICKS: [(f64, &str); 6] = [(0.5, "50 %"), (0.1, "90"), (0.01, "99"), (0.001, "99.9"), (0.0001, "99.99"), (0.00001, "99.999")];
const TOP: f64 = 10.0;
const BOTTOM: f64 = 26.0;
const STEPS: u32 = 120;

pub fn write(page: &mut String, report: &Report) {
    let curves: Vec<_> = report
        .metrics
        .iter()
        .filter_map(|(name, metric)| {
            Some((name, metric, Histogram::from_base64(&metric.histogram).filter(|histogram| histogram.count() > 0)?))
        })
        .collect();
    if curves.is_empty() {
        return;
    }
    let lead = "Over the measured time, from the intended moment. A curve ends where fewer than one sample lies above.";
    section(page, "curves", "Latency by percentile", lead);
    page.push_str("<div class=\"plots\">\n");
    for (name, metric, histogram) in &curves {
        figure(page, name, metric, histogram);
    }
    page.push_str("</div>\n</section>\n");
}

fn figure(page: &mut String, name: &str, metric: &MetricSummary, histogram: &Histogram) {
    let p = &metric.percentiles_ms;
    let _ = write!(
        page,
        "<figure>\n<figcaption><h3>{}</h3><p class=\"keys\">{} samples · mean {} · max {}</p></figcaption>\n\
         <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"latency by percentile: median {}, p99 {}, max {}\">",
        escape(name),
        words::count(metric.count),
        words::ms(metric.mean_ms),
        words::ms(p.max),
        words::ms(p.p50),
        words::ms(p.p99),
        words::ms(p.max)
    );
    let at = |above: f64| histogram.quantile_ms(1.0 - above);
    let last = (1.0 / histogram.count() as f64).max(0.00001);
    let axis = Values::logarithmic(at(0.5), at(last.min(0.5)));
    for tick in &axis.ticks {
        let y = across(axis.place(*tick));
        let _ = write!(page, "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{:.1}\"/>", WIDTH - RIGHT);
        let _ = write!(
            page,
            "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            y + 4.0,
            words::ms(*tick)
        );
    }
    for (above, text) in TICKS {
        let x = along(above);
        let anchor = if x > WIDTH - 40.0 { "end" } else { "middle" };
        let _ = write!(page, "<path class=\"grid\" d=\"M{x:.1} {TOP}V{:.1}\"/>", HEIGHT - BOTTOM);
        let _ = write!(page, "<text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{text}</text>", HEIGHT - 8.0);
    }
    let end = (0.5 / last).log10();
    let points = (0..=STEPS).map(|step| 0.5 / 10f64.powf(end * f64::from(step) / f64::from(STEPS)));
    let mut path = String::new();
    for above in points {
        let pen = if path.is_empty() { 'M' } else { 'L' };
        let _ = write!(path, "{pen}{:.1} {:.1}", along(above), across(axis.place(at(above))));
    }
    let _ = write!(page, "<path class=\"line s1\" d=\"{path}\"/>");
    for (above, _) in TICKS.into_iter().filter(|(above, _)| *above >= last) {
        let (x, y) = (along(above), across(axis.place(at(above))));
        let (anchor, x_text) = if x > WIDTH - 70.0 { ("end", x - 6.0) } else { ("middle", x) };
        let anchor = if x < LEFT + 10.0 { "start" } else { anchor };
        let _ = write!(page, "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>");
        let y_text = if y < TOP + 22.0 { y + 18.0 } else { y - 8.0 };
        let _ = write!(
            page,
            "<text class=\"value\" x=\"{x_text:.1}\" y=\"{y_text:.1}\" text-anchor=\"{anchor}\">{}</text>",
            words::ms(at(above))
        );
    }
    page.push_str("</svg>\n</figure>\n");
}

fn along(above: f64) -> f64 {
    LEFT + (0.5 / above).log10() / (0.5f64 / 0.00001).log10() * (WIDTH - LEFT - RIGHT)
}

fn across(part: f64) -> f64 {
    HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_shows_no_percentile_that_its_samples_cannot_know() {
        let mut histogram = Histogram::new();
        (1..=1_000).for_each(|micros| histogram.record(micros * 10));
        let mut page = String::new();
        figure(&mut page, "ack", &histogram.summary(), &histogram);
        assert_eq!(page.matches("class=\"dot\"").count(), 4, "50, 90, 99 and 99.9 %, not 99.99: {page}");
        assert!(page.contains(">9.9 ms</text>"), "the 99th percentile stands at its point: {page}");
    }

    #[test]
    fn a_single_sample_is_drawn() {
        let mut histogram = Histogram::new();
        histogram.record(5_000);
        let mut page = String::new();
        figure(&mut page, "ack", &histogram.summary(), &histogram);
        assert!(!page.contains("NaN") && !page.contains("inf"), "{page}");
    }
}
