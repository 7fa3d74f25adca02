//! `hospital.toml` as types. It is part of the binary: that it can be read is a test's business, not the running server's.

use super::DemoAccount;
use crate::{accounts::Sex, doctors::Title};
use serde::Deserialize;
use std::sync::OnceLock;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Content {
    pub hospital: Hospital,
    pub services: Vec<Service>,
    pub announcements: Vec<Announcement>,
    pub departments: Vec<Department>,
    pub patients: Vec<Patient>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hospital {
    pub name: String,
    pub grade: String,
    pub introduction: String,
    pub address: String,
    pub phone: String,
    pub emergency_phone: String,
    pub website: String,
    pub service_hours: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Service {
    pub code: String,
    pub name: String,
    pub summary: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Announcement {
    pub title: String,
    pub text: String,
    pub days_ago: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Department {
    pub code: String,
    pub name: String,
    pub category: String,
    pub hot: bool,
    pub summary: String,
    /// Code and name.
    pub diseases: Vec<(String, String)>,
    pub doctors: Vec<Doctor>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Doctor {
    pub name: String,
    pub title: Title,
    pub sex: Sex,
    pub years: i64,
    pub expertise: String,
    pub about: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Patient {
    pub name: String,
    pub phone: String,
    pub sex: Sex,
    pub birth_date: String,
}

impl Content {
    /// With the number that the account is named by, from 1.
    pub fn numbered_doctors(&self) -> impl Iterator<Item = (usize, &Department, &Doctor)> {
        let all = self.departments.iter().flat_map(|department| department.doctors.iter().map(move |doctor| (department, doctor)));
        all.enumerate().map(|(index, (department, doctor))| (index + 1, department, doctor))
    }
}

impl Patient {
    pub fn account(&self) -> DemoAccount {
        DemoAccount { role: "patient", sign_in: self.phone.clone(), name: self.name.clone(), about: "患者".into() }
    }
}

pub(super) fn hospital() -> &'static Content {
    static CONTENT: OnceLock<Content> = OnceLock::new();
    CONTENT.get_or_init(|| toml::from_str(include_str!("hospital.toml")).expect("the built-in hospital is read by this folder's tests"))
}
