use super::*;
use crate::report::data::{Mark, SloResult};
use crate::report::sample;

/// Every start tag has its end: what a browser would repair silently is a mistake here.
fn assert_balanced(page: &str) {
    const VOID: [&str; 4] = ["meta", "!doctype", "br", "link"];
    let mut open = Vec::new();
    let mut rest = page;
    while let Some(from) = rest.find('<') {
        let tag = &rest[from + 1..];
        let end = tag.find('>').unwrap();
        let (inside, name) = (&tag[..end], tag[..end].split([' ', '\n', '/']).find(|part| !part.is_empty()).unwrap());
        rest = &tag[end + 1..];
        if inside.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "before {}", rest.chars().take(80).collect::<String>());
        } else if matches!(name, "script" | "style") {
            let close = rest.find(&format!("</{name}>")).unwrap();
            rest = &rest[close + name.len() + 3..];
        } else if !inside.ends_with('/') && !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn each_kind_of_run_is_a_whole_page_that_loads_nothing() {
    for report in [sample::passed(), sample::failed(), sample::invalid()] {
        let page = render(&report);
        assert_balanced(&page);
        for part in ["http-equiv", "src=", "@import", "url(", "<link"] {
            assert!(!page.contains(part), "{part} would load something");
        }
        assert!(!page.contains("NaN") && !page.contains("inf "), "a figure that is none");
        assert!(page.replace('\u{a0}', " ").contains(&escape(words::headline(&report).split_once(':').unwrap().1.trim())));
        for section in ["time", "curves", "phases", "accounting", "correctness", "generator", "limits", "disclosure"] {
            assert!(page.contains(&format!("<section id=\"{section}\">")), "{section}");
        }
    }
}

#[test]
fn a_failed_page_says_why_before_anything_else() {
    let page = render(&sample::failed());
    let reason = page.replace('\u{a0}', " ").find("1 entry reached &lt;somebody&gt; who is not a member &amp; could read it").unwrap();
    assert!(reason < page.find("<dl class=\"tiles\">").unwrap());
    assert!(page.contains("✗ missed") && page.contains("<tr class=\"bad\"><td>lost</td><td class=\"n\">3</td>"));
}

#[test]
fn objectives_of_an_invalid_run_are_neither_held_nor_missed() {
    let page = render(&sample::invalid());
    assert!(page.contains("says nothing") && !page.contains("✓ held") && !page.contains("✗ missed"));
}

#[test]
fn no_text_from_outside_becomes_markup() {
    let hostile = "</script><script>alert(1)</script>\"'&<img onerror=x>";
    let mut report = sample::failed();
    report.scenario = hostile.into();
    report.schedule_hash = hostile.into();
    report.began_at = hostile.into();
    report.reasons = vec![hostile.into()];
    report.marks.push(Mark { at_s: 70.0, what: hostile.into() });
    report.phases[1].phase = hostile.into();
    report.slo.push(SloResult { rule: hostile.into(), measured: 1.0, held: false });
    report.not_opened.insert(hostile.into(), 0);
    report.failures.insert(hostile.into(), 1);
    report.metrics.insert(hostile.into(), report.metrics["ack"].clone());
    report.phases[1].metrics.insert(hostile.into(), report.metrics["ack"].clone());
    report.plan = serde_json::json!({ hostile: hostile });
    let environment = &mut report.environment;
    for text in [
        &mut environment.loadtest_version,
        &mut environment.git,
        &mut environment.command,
        &mut environment.kernel,
        &mut environment.cpu,
        &mut environment.server_version,
    ] {
        *text = hostile.into();
    }
    environment.warnings = vec![hostile.into()];
    let page = render(&report);
    assert_balanced(&page);
    assert!(!page.contains("alert(1)</script>") && !page.contains("<img"));
}

#[test]
fn a_run_without_messages_is_a_page_too() {
    let mut report = sample::passed();
    report.counts.sent = 0;
    report.counts.acked = 0;
    report.metrics.clear();
    report.phases.clear();
    report.marks.clear();
    report.slo.clear();
    for series in [report.series.clone(), Vec::new()] {
        report.series = series;
        let page = render(&report);
        assert_balanced(&page);
        assert!(page.contains("10,000\u{a0}of 10,000\u{a0}sockets open") && !page.contains("NaN"));
    }
}
