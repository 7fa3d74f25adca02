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
