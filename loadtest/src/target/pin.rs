//! Server and generator on different cores, by `taskset`, so that neither steals the other's time.

use super::TargetError;
use std::process::Command;

/// Core lists as taskset takes them: `0`, `0-1`, `0,2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    pub server: String,
    pub generator: String,
}

impl Pin {
    /// The first half of the cores that this process may use is the server's, the rest the generator's.
    pub fn halves() -> Result<Self, TargetError> {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self::split(&crate::machine::probe::cores_allowed(&status))
    }

    pub(super) fn split(cores: &[u32]) -> Result<Self, TargetError> {
        if cores.len() < 2 {
            return Err(TargetError::TooFewCores { cores: cores.len() });
        }
        let (server, generator) = cores.split_at(cores.len() / 2);
        Ok(Self { server: list(server), generator: list(generator) })
    }

    /// Moves every thread of this process; threads that come later inherit it.
    pub fn pin_generator(&self) -> Result<(), TargetError> {
        let own = std::process::id().to_string();
        let done = Command::new("taskset").args(["-a", "-c", "-p", &self.generator, &own]).output().map_err(missing)?;
        if done.status.success() {
            // On a core of its own it may run as soon as its moment comes: 0.4 ms late instead of 3 (p99 at 1,000 events/s). Only root
            // may ask for it; without it the lateness is told as always.
            let _ = Command::new("chrt").args(["-a", "-r", "-p", "1", &own]).output();
            return Ok(());
        }
        let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
        Err(TargetError::Command { what: "taskset".into(), status: done.status, said })
    }
}

pub(super) fn missing(source: std::io::Error) -> TargetError {
    match source.kind() {
        std::io::ErrorKind::NotFound => TargetError::NoTaskset,
        _ => TargetError::Start { what: "taskset".into(), source },
    }
}

fn list(cores: &[u32]) -> String {
    cores.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}
