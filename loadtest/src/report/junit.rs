//! JUnit XML for continuous integration: one test case per correctness class, per objective, and for the run's own validity.
//!
//! In an invalid run the objectives are skipped, not passed: their figures say nothing. Correctness counts in every run.

use super::accounting::accounts;
use super::data::{Report, Verdict};
use super::words::{self, Checked};
use std::fmt::Write as _;

/// The run ended as planned: these codes are judged by the cases of classes and objectives.
const JUDGED_CODES: [u8; 4] = [0, 3, 4, 8];

enum Outcome {
    Passed,
    Failed {
        kind: &'static str,
        message: String,
    },
    /// Nothing can be said about the server.
    Broken {
        kind: &'static str,
        message: String,
    },
    Skipped(String),
}

struct Case {
    group: &'static str,
    name: String,
    outcome: Outcome,
}

pub fn render(report: &Report) -> String {
    let mut cases = vec![validity(report)];
    cases.extend(accounting(report));
    cases.extend(report.counts.violations().map(|(class, count)| violation(report, class, count)));
    cases.extend(report.slo.iter().map(|slo| Case {
        group: "slo",
        name: slo.rule.clone(),
        outcome: match (report.verdict, slo.held) {
            (Verdict::Invalid, _) => Outcome::Skipped("the run is invalid".into()),
            (_, true) => Outcome::Passed,
            (_, false) => Outcome::Failed { kind: "slo", message: format!("measured {}", words::measured(slo)) },
        },
    }));
    document(report, &cases)
}

fn validity(report: &Report) -> Case {
    let reasons = || report.reasons.join("; ");
    let outcome = match report.verdict {
        Verdict::Invalid => Outcome::Broken { kind: "invalid", message: reasons() },
        Verdict::Fail if !JUDGED_CODES.contains(&report.exit_code) => {
            Outcome::Broken { kind: "not finished", message: format!("exit code {}: {}", report.exit_code, reasons()) }
        }
        _ => Outcome::Passed,
    };
    Case { group: "validity", name: "the generator was not the limit and the run came to its end".into(), outcome }
}

fn accounting(report: &Report) -> impl Iterator<Item = Case> {
    accounts(report).into_iter().map(|account| Case {
        group: "validity",
        name: format!("{} are accounted for", account.whole_name),
        outcome: match account.difference() {
            0 => Outcome::Passed,
            difference => Outcome::Broken { kind: "accounting", message: format!("{difference} of {} are not", account.whole) },
        },
    })
}

fn violation(report: &Report, class: &str, count: u64) -> Case {
    let outcome = match (words::checked(report), count) {
        (Checked::Off, _) => Outcome::Skipped("the run did not check correctness".into()),
        (_, 0) => Outcome::Passed,
        _ => Outcome::Failed { kind: "correctness", message: format!("{}: {}", words::found(class, count), words::meaning(class)) },
    };
    Case { group: "correctness", name: class.to_owned(), outcome }
}

fn document(report: &Report, cases: &[Case]) -> String {
    let number = |of: fn(&Outcome) -> bool| cases.iter().filter(|case| of(&case.outcome)).count();
    let totals = format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{:.3}\"",
        cases.len(),
        number(|outcome| matches!(outcome, Outcome::Failed { .. })),
        number(|outcome| matches!(outcome, Outcome::Broken { .. })),
        number(|outcome| matches!(outcome, Outcome::Skipped(_))),
        report.duration_s
    );
    let suite = escape(&format!("loadtest.{}", report.scenario));
    let mut xml = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {totals}>\n");
    let _ = writeln!(xml, "  <testsuite name=\"{suite}\" timestamp=\"{}\" {totals}>\n    <properties>", escape(&report.began_at));
    for (name, value) in [
        ("seed", report.seed.to_string()),
        ("schedule_hash", report.schedule_hash.clone()),
        ("git", report.environment.git.clone()),
        ("command", report.environment.command.clone()),
    ] {
        let _ = writeln!(xml, "      <property name=\"{name}\" value=\"{}\"/>", escape(&value));
    }
    xml.push_str("    </properties>\n");
    for case in cases {
        let head = format!("    <testcase classname=\"{suite}.{}\" name=\"{}\" time=\"0\"", case.group, escape(&case.name));
        let _ = match &case.outcome {
            Outcome::Passed => writeln!(xml, "{head}/>"),
            Outcome::Failed { kind, message } => writeln!(xml, "{head}>{}</testcase>", element("failure", kind, message)),
            Outcome::Broken { kind, message } => writeln!(xml, "{head}>{}</testcase>", element("error", kind, message)),
            Outcome::Skipped(why) => writeln!(xml, "{head}><skipped message=\"{}\"/></testcase>", escape(why)),
        };
    }
    let _ = writeln!(xml, "    <system-out>{}</system-out>\n  </testsuite>\n</testsuites>", escape(&super::lines::summary(report)));
    xml
}

fn element(name: &str, kind: &str, message: &str) -> String {
    format!("<{name} type=\"{kind}\" message=\"{}\"/>", escape(message))
}

/// Markup escaped; characters that XML 1.0 cannot carry at all become U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn totals(xml: &str) -> (usize, usize, usize, usize) {
        (
            xml.matches("<testcase ").count(),
            xml.matches("<failure ").count(),
            xml.matches("<error ").count(),
            xml.matches("<skipped ").count(),
        )
    }

    #[test]
    fn a_pass_has_a_case_per_class_per_objective_and_for_validity() {
        let xml = render(&sample::passed());
        // Validity, two accounts, fourteen classes, three objectives.
        assert_eq!(totals(&xml), (20, 0, 0, 0));
        assert!(xml.contains("<testsuites tests=\"20\" failures=\"0\" errors=\"0\" skipped=\"0\""));
        assert!(xml.contains("classname=\"loadtest.reconnect.correctness\" name=\"stale_access\""));
    }

    #[test]
    fn a_failure_names_class_and_count() {
        let xml = render(&sample::failed());
        assert_eq!(totals(&xml), (20, 3, 0, 0));
        assert!(xml.contains("message=\"3 lost: The server acknowledged the message"), "{xml}");
        assert!(xml.contains("name=\"delivery.p99 &lt; 25ms during steady\"") && xml.contains("measured 31.7"));
    }

    #[test]
    fn an_invalid_run_is_an_error_and_its_objectives_are_skipped() {
        assert_eq!(totals(&render(&sample::invalid())), (20, 0, 1, 3));
    }

    #[test]
    fn a_target_that_went_away_is_an_error_and_unchecked_classes_are_skipped() {
        let mut report = sample::failed();
        report.counts.lost = 0;
        report.counts.misdelivered = 0;
        report.exit_code = 6;
        report.plan = serde_json::json!({ "check": "off" });
        assert_eq!(totals(&render(&report)), (20, 1, 1, 14));
    }

    #[test]
    fn nothing_from_outside_can_leave_its_place() {
        let mut report = sample::passed();
        report.scenario = "a\"b<c>&\u{1b}[31m".into();
        let xml = render(&report);
        assert!(xml.contains("loadtest.a&quot;b&lt;c&gt;&amp;\u{fffd}[31m") && !xml.contains('\u{1b}'));
    }
}
