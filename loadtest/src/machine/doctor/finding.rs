//! What a check found, and how people and scripts are told.

use serde::{Deserialize, Serialize};
use std::fmt::Write;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Good,
    /// Could not be looked at here.
    Unknown,
    /// Figures may be worse than the server deserves.
    Warning,
    /// A run would measure this machine instead of the server.
    Spoils,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable, for scripts: `files`, `ports`, `steal` …
    pub check: String,
    pub level: Level,
    pub found: String,
    /// The exact command or option; empty where there is nothing to do.
    pub fix: String,
}

impl Finding {
    pub(super) fn good(check: &str, found: impl Into<String>) -> Self {
        Self { check: check.into(), level: Level::Good, found: found.into(), fix: String::new() }
    }

    pub(super) fn unknown(check: &str, found: impl Into<String>) -> Self {
        Self { check: check.into(), level: Level::Unknown, found: found.into(), fix: String::new() }
    }

    pub(super) fn warning(check: &str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check: check.into(), level: Level::Warning, found: found.into(), fix: fix.into() }
    }

    pub(super) fn spoils(check: &str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check: check.into(), level: Level::Spoils, found: found.into(), fix: fix.into() }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Diagnosis {
    pub go: bool,
    /// Worst first.
    pub findings: Vec<Finding>,
}

impl Diagnosis {
    pub(super) fn new(mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
        Self { go: findings.iter().all(|finding| finding.level != Level::Spoils), findings }
    }

    /// 2 is the exit code of a preflight that refuses.
    pub fn exit_code(&self) -> u8 {
        if self.go { 0 } else { 2 }
    }

    /// What a run that goes on regardless has to write into its report.
    pub fn warnings(&self) -> Vec<String> {
        let told = self.findings.iter().filter(|finding| finding.level >= Level::Warning);
        told.map(|finding| format!("{}: {}", finding.check, finding.found)).collect()
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            let mark = match finding.level {
                Level::Good => "ok     ",
                Level::Unknown => "?      ",
                Level::Warning => "warning",
                Level::Spoils => "SPOILS ",
            };
            // Writing into a String cannot fail.
            let _ = writeln!(text, "{mark} {:<16} {}", finding.check, finding.found);
            if !finding.fix.is_empty() {
                let _ = writeln!(text, "{:24} fix: {}", "", finding.fix);
            }
        }
        let spoiling = self.findings.iter().filter(|finding| finding.level == Level::Spoils).count();
        let warnings = self.findings.iter().filter(|finding| finding.level == Level::Warning).count();
        let _ = match spoiling {
            0 => writeln!(text, "GO, with {warnings} warnings"),
            _ => writeln!(text, "NO-GO: {spoiling} findings would spoil a run"),
        };
        text
    }
}
