//! The exact accounting: what was asked for equals the sum of what became of it, to the unit.
//!
//! A difference is never hidden or spread over the parts: it is shown, and it fails the run's validity in JUnit.

use super::data::Report;

#[derive(Debug)]
pub struct Account {
    /// What is taken apart: `sockets asked`.
    pub whole_name: &'static str,
    pub whole: u64,
    pub parts: Vec<(String, u64)>,
}

impl Account {
    /// 0 when the parts sum to the whole; positive when something is unaccounted for.
    pub fn difference(&self) -> i128 {
        i128::from(self.whole) - self.parts.iter().map(|(_, count)| i128::from(*count)).sum::<i128>()
    }
}

/// Sockets always; messages where the scenario sent some.
pub fn accounts(report: &Report) -> Vec<Account> {
    let counts = &report.counts;
    let mut parts = vec![("opened".to_owned(), counts.opened)];
    parts.extend(report.not_opened.iter().map(|(class, count)| (format!("not opened: {class}"), *count)));
    let mut accounts = vec![Account { whole_name: "sockets asked", whole: counts.asked, parts }];
    if counts.sent + counts.never_tried > 0 {
        let answered = counts.acked + counts.refused;
        let settled = counts.sent.saturating_sub(answered + counts.indeterminate);
        let parts = [
            ("acknowledged", counts.acked),
            ("refused with a code", counts.refused),
            ("no answer, settled by the final read", settled),
            ("no answer, not settled", counts.indeterminate),
            ("never tried: the sender's socket was gone for good", counts.never_tried),
        ];
        accounts.push(Account {
            whole_name: "messages intended",
            whole: counts.sent + counts.never_tried,
            parts: parts.map(|(name, count)| (name.to_owned(), count)).to_vec(),
        });
    }
    accounts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn an_honest_run_sums_to_the_unit() {
        for report in [sample::passed(), sample::failed(), sample::invalid()] {
            for account in accounts(&report) {
                assert_eq!(account.difference(), 0, "{account:?}");
            }
        }
    }

    #[test]
    fn a_socket_that_vanished_shows() {
        let mut report = sample::passed();
        report.counts.opened -= 3;
        assert_eq!(accounts(&report)[0].difference(), 3);
        report.counts.acked = report.counts.sent + 5;
        assert!(accounts(&report)[1].difference() < 0, "more answers than messages");
    }
}
