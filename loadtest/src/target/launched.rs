//! A server of ours for one run: started on fresh folders, killed, restarted, stopped. Dropping it leaves no process and no folder.

use super::folder::{Folder, last_lines};
use super::{Pin, TargetError, binary, foreign, http, pin, port};
use crate::clock::Clock;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::{Child, Command};

const READY_WITHIN: Duration = Duration::from_secs(120);
/// The server drains for 30 s at most by default.
const STOP_WITHIN: Duration = Duration::from_secs(60);
const LOG: &str = "server.log";
const LOG_LINES_MAX: usize = 20;
/// The limits that protect people from each other, out of the way of one machine's load: the same text as the benches use.
const LOAD: &str = include_str!("../../../tests/bench/load.toml");

/// How to start a server of ours.
#[derive(Clone, Debug, Default)]
pub struct Launch {
    /// `wenzhen` beside the running executable when left out.
    pub server_bin: Option<PathBuf>,
    /// Where data, keys and log stay; a temporary folder that is removed at the end when left out.
    pub keep: Option<PathBuf>,
    pub pin: Option<Pin>,
    pub limits: Limits,
}

/// What the started server allows one person or address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Limits {
    /// As good as anything: everybody comes from one address, and a bench is in a hurry.
    #[default]
    Lifted,
    /// The product's own for sockets and calls.
    Product,
}

impl Limits {
    fn config(self) -> String {
        let sections = LOAD.split_inclusive('\n').scan(true, |kept, line| {
            if line.starts_with('[') {
                *kept = !matches!(line.trim_end(), "[socket]" | "[calls]");
            }
            Some(if *kept || self == Self::Lifted { line } else { "" })
        });
        sections.collect()
    }
}

#[derive(Debug)]
pub struct Launched {
    binary: PathBuf,
    child: Option<Child>,
    folder: Folder,
    pin: Option<Pin>,
    url: String,
    port: u16,
    /// From the start of the process to ready, of the latest start.
    pub ready_s: f64,
}

#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(test), allow(dead_code))] // only tests ask how
pub struct Stopped {
    pub status: ExitStatus,
    /// False where it did not stop by itself and was killed.
    pub graceful: bool,
}

impl Launched {
    /// Returns once the server is ready.
    pub async fn start(launch: &Launch) -> Result<Self, TargetError> {
        let binary = binary::find(launch.server_bin.as_deref())?;
        let folder = Folder::create(launch.keep.as_deref())?;
        let config = folder.join("load.toml");
        std::fs::write(&config, launch.limits.config()).map_err(|source| TargetError::Folder { path: config, source })?;
        let port = port::free()?;
        let url = format!("http://127.0.0.1:{port}");
        let mut server = Self { binary, child: None, folder, pin: launch.pin.clone(), url, port, ready_s: 0.0 };
        server.restart().await?;
        Ok(server)
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    #[cfg(test)]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn log_tail(&self) -> String {
        self.folder.tail(LOG, LOG_LINES_MAX)
    }

    /// SIGKILL, and waits until the process is gone. Nothing to do where it is down already.
    pub async fn kill(&mut self) -> Result<(), TargetError> {
        if let Some(mut child) = self.child.take() {
            child.kill().await.map_err(|source| TargetError::Start { what: "SIGKILL".into(), source })?;
        }
        Ok(())
    }

    /// On the same folders and port; a server that still runs is stopped first. Returns the seconds from the start of the
    /// process until it was ready.
    pub async fn restart(&mut self) -> Result<f64, TargetError> {
        self.stop().await?;
        let clock = Clock::start();
        let child = self.child.insert(self.spawn()?);
        let exited = tokio::select! {
            ready = tokio::time::timeout(READY_WITHIN, http::ready(&self.url)) => match ready {
                Ok(()) => None,
                Err(_) => return Err(TargetError::NotReady { within_s: READY_WITHIN.as_secs(), log: self.log_tail() }),
            },
            exited = child.wait() => Some(exited),
        };
        if let Some(exited) = exited {
            self.child = None;
            let status = exited.map_err(|source| TargetError::Start { what: self.binary.display().to_string(), source })?;
            return Err(TargetError::Ended { status, log: self.log_tail() });
        }
        self.ready_s = clock.micros() as f64 / 1e6;
        Ok(self.ready_s)
    }

    /// SIGTERM and the end of draining. None where it is down already.
    pub async fn stop(&mut self) -> Result<Option<Stopped>, TargetError> {
        let Some(mut child) = self.child.take() else { return Ok(None) };
        let failed = |source| TargetError::Start { what: "stopping the server".into(), source };
        if let Some(pid) = child.id() {
            // It may have ended by itself in between; the wait below finds out.
            let _ = foreign::run("kill", &["-TERM", &pid.to_string()]).await;
        }
        if let Ok(status) = tokio::time::timeout(STOP_WITHIN, child.wait()).await {
            return Ok(Some(Stopped { status: status.map_err(failed)?, graceful: true }));
        }
        child.kill().await.map_err(failed)?;
        Ok(Some(Stopped { status: child.wait().await.map_err(failed)?, graceful: false }))
    }

    /// Lines of `wenzhen admin mint-tokens`: JSON with `user`, `role`, `conversation`, `access_token` and what a newer server adds.
    pub async fn mint(&self, count: usize) -> Result<Vec<String>, TargetError> {
        let mut command = self.wenzhen(&["admin", "mint-tokens", "--count", &count.to_string()]);
        let what = "wenzhen admin mint-tokens";
        let done = command.stdin(Stdio::null()).output().await.map_err(|source| TargetError::Start { what: what.into(), source })?;
        if !done.status.success() {
            let said = last_lines(&String::from_utf8_lossy(&done.stderr), LOG_LINES_MAX);
            return Err(TargetError::Command { what: what.into(), status: done.status, said });
        }
        let lines: Vec<String> = String::from_utf8_lossy(&done.stdout).lines().map(str::to_owned).collect();
        if lines.len() < count {
            return Err(TargetError::Minted { wanted: count, minted: lines.len() });
        }
        Ok(lines)
    }

    /// A command of the server's binary on this server's folders and configuration.
    pub(super) fn wenzhen(&self, arguments: &[&str]) -> Command {
        let mut command = binary::command(&self.binary);
        self.stores(command.args(arguments));
        command
    }

    fn stores(&self, command: &mut Command) {
        command.arg("--config").arg(self.folder.join("load.toml")).arg("--demo");
        command.arg("--data").arg(self.folder.join("data")).arg("--keys").arg(self.folder.join("keys"));
    }

    fn spawn(&self) -> Result<Child, TargetError> {
        let log = self.folder.join(LOG);
        let file = std::fs::File::options().create(true).append(true).open(&log);
        let file = file.and_then(|file| Ok((file.try_clone()?, file)));
        let (out, err) = file.map_err(|source| TargetError::Folder { path: log, source })?;
        let mut command = match &self.pin {
            Some(pin) => {
                let mut command = binary::command(Path::new("taskset"));
                // The generator's own scheduling is not for the server.
                command.args(["-c", &pin.server, "chrt", "-o", "0"]).arg(&self.binary);
                command
            }
            None => binary::command(&self.binary),
        };
        command.args(["serve", "--addr", &format!("127.0.0.1:{}", self.port)]);
        self.stores(&mut command);
        // A group of its own: Ctrl-C is for the harness, which then stops the server in its turn.
        command.stdin(Stdio::null()).stdout(out).stderr(err).process_group(0).kill_on_drop(true);
        command.spawn().map_err(|source| match &self.pin {
            Some(_) => pin::missing(source),
            None => TargetError::Start { what: self.binary.display().to_string(), source },
        })
    }
}

impl Drop for Launched {
    /// The folder goes after this, so the process has to be gone by then.
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        // It may have ended by itself; then there is nothing to kill.
        let _ = child.start_kill();
        let clock = Clock::start();
        while clock.micros() < 5_000_000 && matches!(child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_products_limits_are_those_that_nobody_lifts() {
        assert_eq!(Limits::Lifted.config(), LOAD);
        let kept = Limits::Product.config();
        assert!(kept.contains("[uploads]") && LOAD.contains("\nrefusals_burst") && !kept.contains("\nrefusals_burst"), "{kept}");
        assert!(!kept.contains("invites_burst"), "{kept}");
    }
}
