//! One run on many processes and machines: a coordinator deals people out, workers run them, the reports become one.
//!
//! A worker joins, proves that it knows the run's secret, has its clock compared, gets its part, says when it is ready, begins at a
//! moment all share, tells once a second how it goes, and ends with its report. Nothing here knows what a run does.
//! A worker that is lost makes the run invalid. The frames are not encrypted: they carry access tokens, so between machines
//! they belong on a private network or into a tunnel.

pub mod coordinator;
mod frames;
mod handshake;
mod link;
pub mod local;
pub mod merge;
pub mod offset;
mod protocol;
pub mod secret;
mod slices;
pub mod worker;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

/// How many processes share a run, and where they come from.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Sharing {
    /// Worker processes to start on this machine.
    #[arg(long, conflicts_with = "listen")]
    pub workers: Option<u32>,
    /// Waits here for workers of other machines, `0.0.0.0:7070`; they run `loadtest work --join HOST:7070`.
    #[arg(long, requires = "expect")]
    pub listen: Option<String>,
    /// How many workers join.
    #[arg(long, requires = "listen")]
    pub expect: Option<u32>,
    /// File with the secret that workers have to know; else the variable LOADTEST_SECRET.
    #[arg(long = "secret", requires = "listen")]
    pub secret: Option<PathBuf>,
}

/// `loadtest work`.
#[derive(Clone, Debug, clap::Args)]
pub struct Work {
    /// Where the coordinator listens, `host:7070`.
    #[arg(long)]
    pub join: String,
    /// File with the run's secret; else the variable LOADTEST_SECRET.
    #[arg(long)]
    pub secret: Option<PathBuf>,
}
