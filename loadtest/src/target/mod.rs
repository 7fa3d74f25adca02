//! The server under load: one of ours on fresh folders, or one that runs elsewhere.
//!
//! A launched server is a child of this process and goes with it; its folders go too unless they are to be kept. Nothing here
//! knows what is measured. What surprises: its port lies below the ephemeral range, since a client that reconnects to a dead
//! server on an ephemeral port can end up connected to itself and keep the port.

mod binary;
mod folder;
mod foreign;
mod http;
pub mod launched;
mod pin;
mod port;
pub mod verify;

#[cfg(test)]
mod tests;

pub use foreign::Foreign;
pub use http::{HttpError, answers};
pub use launched::Launched;
pub use pin::Pin;

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    #[error("no server binary at {}; build it with `cargo build --release -p api` or name one with --server-bin", looked_at.display())]
    NoBinary { looked_at: PathBuf },
    #[error("folder {}", path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("starting {what}")]
    Start { what: String, source: std::io::Error },
    #[error("the server ended with {status} before it was ready; the end of its log:\n{log}")]
    Ended { status: std::process::ExitStatus, log: String },
    #[error("the server was not ready within {within_s} s; the end of its log:\n{log}")]
    NotReady { within_s: u64, log: String },
    #[error("{what} ended with {status}: {said}")]
    Command { what: String, status: std::process::ExitStatus, said: String },
    #[error("{wanted} people asked for, {minted} minted")]
    Minted { wanted: usize, minted: usize },
    #[error("no free port between {} and {}", port::FIRST, port::LAST)]
    NoPort,
    #[error("pinning wants taskset (util-linux), which is not installed")]
    NoTaskset,
    #[error("pinning wants two cores, this process may use {cores}")]
    TooFewCores { cores: usize },
    #[error("a server that runs elsewhere can be {0} only when {1} is given")]
    NotOurs(&'static str, &'static str),
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// What the harness may do to the server it loads, whoever started it.
#[derive(Debug)]
pub enum Server {
    Launched(Launched),
    Foreign(Foreign),
}

impl Server {
    /// Base URL, `http://127.0.0.1:20123`.
    #[cfg(test)]
    pub fn url(&self) -> &str {
        match self {
            Self::Launched(server) => server.url(),
            Self::Foreign(server) => &server.url,
        }
    }

    /// None where it is not known or the server is down.
    pub fn pid(&self) -> Option<u32> {
        match self {
            Self::Launched(server) => server.pid(),
            Self::Foreign(server) => server.pid,
        }
    }

    /// SIGKILL: no destructor, no flush, no goodbye.
    pub async fn kill(&mut self) -> Result<(), TargetError> {
        match self {
            Self::Launched(server) => server.kill().await,
            Self::Foreign(server) => server.kill().await,
        }
    }

    /// SIGSTOP: the process is there and answers nothing, as a virtual machine that is moved.
    pub async fn pause(&self) -> Result<(), TargetError> {
        self.signal("-STOP", "paused").await
    }

    pub async fn resume(&self) -> Result<(), TargetError> {
        self.signal("-CONT", "resumed").await
    }

    async fn signal(&self, signal: &str, done: &'static str) -> Result<(), TargetError> {
        let pid = self.pid().ok_or(TargetError::NotOurs(done, "--server-pid"))?;
        foreign::run("kill", &[signal, &pid.to_string()]).await
    }

    /// Starts it again on the same folders and port; returns the seconds until it was ready.
    pub async fn restart(&mut self) -> Result<f64, TargetError> {
        match self {
            Self::Launched(server) => server.restart().await,
            Self::Foreign(server) => server.restart().await,
        }
    }
}
