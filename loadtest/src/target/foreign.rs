//! A server that we did not start. It can be killed when its process is here, and restarted when we are told how.

use super::{TargetError, http};
use crate::clock::Clock;
use std::time::Duration;

const READY_WITHIN: Duration = Duration::from_secs(300);

#[derive(Clone, Debug)]
pub struct Foreign {
    /// Base URL, `http://10.0.0.5:8080`.
    pub url: String,
    /// Its process, where it runs on this machine.
    pub pid: Option<u32>,
    /// What brings it back, for `sh -c`: `systemctl restart wenzhen`, `kubectl delete pod …`. It may also be what kills it.
    pub restart_command: Option<String>,
}

impl Foreign {
    pub async fn kill(&mut self) -> Result<(), TargetError> {
        let pid = self.pid.take().ok_or(TargetError::NotOurs("killed", "--server-pid"))?;
        run("kill", &["-KILL", &pid.to_string()]).await
    }

    /// The process is another one afterwards, and its number not known.
    pub async fn restart(&mut self) -> Result<f64, TargetError> {
        let command = self.restart_command.clone().ok_or(TargetError::NotOurs("restarted", "--restart-command"))?;
        self.pid = None;
        let clock = Clock::start();
        run("sh", &["-c", &command]).await?;
        let ready = tokio::time::timeout(READY_WITHIN, http::ready(&self.url)).await;
        ready.map_err(|_| TargetError::NotReady { within_s: READY_WITHIN.as_secs(), log: "(not here)".into() })?;
        Ok(clock.micros() as f64 / 1e6)
    }
}

pub(super) async fn run(program: &str, arguments: &[&str]) -> Result<(), TargetError> {
    let what = format!("{program} {}", arguments.join(" "));
    let done = tokio::process::Command::new(program).args(arguments).stdin(std::process::Stdio::null()).output().await;
    let done = done.map_err(|source| TargetError::Start { what: what.clone(), source })?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
    Err(TargetError::Command { what, status: done.status, said })
}
