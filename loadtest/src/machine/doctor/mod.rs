//! `loadtest doctor`: what on this machine would spoil a run, each with the exact fix, and go or no-go.
//!
//! Reads and measures, changes nothing but one file of a second's writes in the data folder. A check that cannot be made here
//! (another system, a server elsewhere) says so and spoils nothing.

mod cores;
mod disk;
pub mod finding;
mod limits;
mod memory;
mod network;
pub mod target;
mod time;

pub use finding::{Diagnosis, Finding};
pub use limits::nofile;

use super::Root;
use super::probe::Probe;
use super::sources::{SourceNet, ephemeral_ports};
use crate::clock::Clock;
use std::path::PathBuf;
use std::time::Duration;

/// What the run will ask of this machine.
#[derive(Clone, Debug, clap::Args)]
pub struct Doctor {
    /// Sockets that the run will open.
    #[arg(long, default_value_t = 10_000)]
    pub users: u64,
    /// Processes that share them on this machine.
    #[arg(long, default_value_t = 1)]
    pub workers: u64,
    /// Base URLs of the installation; left out, the server will be one of ours on this machine.
    #[arg(long, value_delimiter = ',')]
    pub target: Vec<String>,
    /// Source addresses of the generator, `127.16.0.0/12`.
    #[arg(long)]
    pub src_net: Option<SourceNet>,
    /// Process of the server, when it runs here.
    #[arg(long)]
    pub server_pid: Option<u32>,
    /// Where the server keeps its data on this machine; the temporary folder when left out and the server is ours.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Server and generator will be pinned to different cores.
    #[arg(long)]
    pub pin: bool,
    /// For scripts instead of for people.
    #[arg(long)]
    pub json: bool,
}

impl Doctor {
    /// The server will run, or runs, on this machine.
    fn server_here(&self) -> bool {
        self.target.is_empty() || self.server_pid.is_some() || self.target.iter().any(|url| is_loopback(url))
    }

    fn users_per_worker(&self) -> u64 {
        self.users.div_ceil(self.workers.max(1))
    }
}

/// Every check. Takes about two seconds: one for steal, up to one for the disk.
pub async fn examine(root: &Root, asked: &Doctor) -> Diagnosis {
    let mut probe = Probe::start(root.clone(), Clock::start(), None);
    probe.sample();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let steal = probe.sample().steal;
    let mut findings = still(root, asked);
    findings.push(cores::steal(steal));
    if asked.server_here() && (asked.target.is_empty() || asked.data.is_some()) {
        let folder = asked.data.clone().unwrap_or_else(std::env::temp_dir);
        findings.push(disk::space(&folder, disk::free_bytes(&folder)));
        findings.push(disk::durability(&folder, disk::measure(&folder)));
    }
    for url in &asked.target {
        findings.push(target::reachable(url).await);
        findings.extend(target::backlog(root, url));
    }
    Diagnosis::new(findings)
}

/// What can be read without waiting or writing.
fn still(root: &Root, asked: &Doctor) -> Vec<Finding> {
    let ports = ephemeral_ports(root);
    let mut findings = vec![
        limits::files(nofile(root), asked),
        network::ports(&ports, asked),
        network::somaxconn(root, asked),
        network::syn_backlog(root, asked),
        network::overflows(root, asked),
        network::conntrack(root, asked),
        time::clock_source(root),
        memory::huge_pages(root),
        memory::available(root, asked),
        memory::swap(root),
        cores::count(root, asked),
        cores::load(root),
        cores::frequency(root),
        cores::quota(root),
    ];
    if let Some(pid) = asked.server_pid {
        findings.push(cores::shared(root, pid, asked));
    }
    findings
}

fn is_loopback(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]")
}

#[cfg(test)]
mod tests;
