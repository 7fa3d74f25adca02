//! The demo: a whole invented hospital for an installation that is empty, the same one every time, in one transaction.
//!
//! Only `serve --demo` calls it. The passwords stand in this file and on the screen, so nothing here may ever run in production.

mod fill;
mod history;
mod hospital;

#[cfg(test)]
mod tests;

pub use fill::fill;
pub use history::{HistoryError, prepare};

/// Password of every demo account.
pub const PASSWORD: &str = "wenzhen-2026";

/// Somebody to sign in as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoAccount {
    /// `patient`, `doctor` or `reviewer`.
    pub role: &'static str,
    /// Phone number of a patient, account name of everybody else.
    pub sign_in: String,
    pub name: String,
    /// What he is, for the banner: `心血管内科 主任医师`.
    pub about: String,
}

/// The accounts worth printing: all patients, a few doctors who are open around the clock, the reviewer.
pub fn accounts() -> Vec<DemoAccount> {
    let hospital = hospital::hospital();
    let mut accounts: Vec<DemoAccount> = hospital.patients.iter().map(hospital::Patient::account).collect();
    accounts.extend(hospital.numbered_doctors().filter(|(number, ..)| number % 3 == 1).take(4).map(|(number, department, doctor)| {
        let about = format!("{} {}", department.name, doctor.title.label());
        DemoAccount { role: "doctor", sign_in: doctor_account(number), name: doctor.name.clone(), about }
    }));
    accounts.push(DemoAccount { role: "reviewer", sign_in: REVIEWER.into(), name: "评价审核员".into(), about: "评价审核".into() });
    accounts
}

const REVIEWER: &str = "reviewer";

/// Doctors are numbered from 1 through all departments.
fn doctor_account(number: usize) -> String {
    format!("doctor{number:02}")
}
