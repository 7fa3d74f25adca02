//! What generator and server cost, second by second, from `/proc`. None where the process is not here or this is not Linux.
//!
//! CPU is the busy part of the cores that the process may use, 0 to 1, since the previous sample.

use super::Root;
use super::root::kib_line;
use crate::clock::Clock;
use crate::report::data::Second;

/// Of a second, on every Linux this runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// One process, at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    pub rss_bytes: u64,
    /// Since it began, user and system.
    pub cpu_seconds: f64,
    pub files: u64,
    /// Cores that it may use.
    pub cores: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    pub load1: Option<f64>,
    /// Part of all cores that the hypervisor took, 0 to 1.
    pub steal: Option<f64>,
    pub generator_cpu: Option<f64>,
    pub generator: Option<Usage>,
    pub server_cpu: Option<f64>,
    pub server: Option<Usage>,
}

impl Sample {
    /// Zero in the row is "not known" for what is none here.
    pub fn fill(&self, second: &mut Second) {
        second.load1 = self.load1.unwrap_or_default();
        second.steal = self.steal.unwrap_or_default();
        second.generator_cpu = self.generator_cpu.unwrap_or_default();
        second.server_cpu = self.server_cpu.unwrap_or_default();
        second.server_rss_bytes = self.server.map_or(0, |server| server.rss_bytes);
        second.server_files = self.server.map_or(0, |server| server.files);
    }
}

/// Sampled by its owner, once a second.
#[derive(Debug)]
pub struct Probe {
    root: Root,
    clock: Clock,
    server_pid: Option<u32>,
    last: Option<Last>,
    rss_max_bytes: u64,
    /// Of server processes that are gone.
    cpu_seconds_before: f64,
}

#[derive(Debug)]
struct Last {
    at_us: u64,
    all: Option<AllCores>,
    generator: Option<Usage>,
    server: Option<Usage>,
}

impl Probe {
    pub fn start(root: Root, clock: Clock, server_pid: Option<u32>) -> Self {
        Self { root, clock, server_pid, last: None, rss_max_bytes: 0, cpu_seconds_before: 0.0 }
    }

    /// After a restart the server is another process; what the old one used still counts.
    pub fn set_server(&mut self, pid: Option<u32>) {
        if let Some(last) = &mut self.last {
            self.cpu_seconds_before += last.server.take().map_or(0.0, |server| server.cpu_seconds);
        }
        self.server_pid = pid;
    }

    pub fn sample(&mut self) -> Sample {
        let at_us = self.clock.micros();
        let all = self.root.read("proc/stat").and_then(|text| AllCores::parse(&text));
        let generator = usage(&self.root, "self");
        let server = self.server_pid.and_then(|pid| usage(&self.root, &pid.to_string()));
        let mut sample = Sample { load1: load1(&self.root), generator, server, ..Sample::default() };
        if let Some(last) = &self.last {
            let seconds = at_us.saturating_sub(last.at_us) as f64 / 1e6;
            sample.steal = last.all.zip(all).and_then(|(before, now)| now.steal_since(before));
            sample.generator_cpu = last.generator.zip(generator).and_then(|(before, now)| now.busy_since(before, seconds));
            sample.server_cpu = last.server.zip(server).and_then(|(before, now)| now.busy_since(before, seconds));
        }
        self.rss_max_bytes = self.rss_max_bytes.max(server.map_or(0, |server| server.rss_bytes));
        self.last = Some(Last { at_us, all, generator, server });
        sample
    }

    /// The highest of all samples; none where the server was never seen.
    pub fn server_rss_max_bytes(&self) -> Option<u64> {
        (self.rss_max_bytes > 0).then_some(self.rss_max_bytes)
    }

    /// Of every server process of this run until the latest sample.
    pub fn server_cpu_seconds(&self) -> f64 {
        self.cpu_seconds_before + self.last.as_ref().and_then(|last| last.server).map_or(0.0, |server| server.cpu_seconds)
    }
}

impl Usage {
    fn busy_since(self, before: Self, seconds: f64) -> Option<f64> {
        let used = self.cpu_seconds - before.cpu_seconds;
        (seconds > 0.0 && used >= 0.0).then(|| used / seconds / self.cores.max(1) as f64)
    }
}

/// `pid` is a number or `self`.
pub fn usage(root: &Root, pid: &str) -> Option<Usage> {
    let status = root.read(&format!("proc/{pid}/status"))?;
    let stat = root.read(&format!("proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Usage {
        rss_bytes: kib_line(&status, "VmRSS")?,
        cpu_seconds: ticks as f64 / TICKS_PER_SECOND,
        files: files(root, pid),
        cores: cores_allowed(&status).len(),
    })
}

/// Of `/proc/<pid>/status`: the cores it may run on.
pub fn cores_allowed(status: &str) -> Vec<u32> {
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or_default();
    let mut cores = Vec::new();
    for part in list.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.parse::<u32>(), last.parse::<u32>()) {
            cores.extend(first..=last);
        }
    }
    cores
}

fn load1(root: &Root) -> Option<f64> {
    root.read("proc/loadavg")?.split(' ').next()?.parse().ok()
}

/// Linux 6.2 and later give the number as the folder's size; before that they have to be counted.
fn files(root: &Root, pid: &str) -> u64 {
    let folder = root.path(&format!("proc/{pid}/fd"));
    match std::fs::metadata(&folder) {
        Ok(found) if found.len() > 0 => found.len(),
        _ => std::fs::read_dir(folder).map_or(0, |entries| entries.count() as u64),
    }
}

/// The first line of `/proc/stat`.
#[derive(Clone, Copy, Debug)]
struct AllCores {
    total: u64,
    steal: u64,
}

impl AllCores {
    fn parse(text: &str) -> Option<Self> {
        let line = text.lines().next()?.strip_prefix("cpu ")?;
        let ticks: Vec<u64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
        // user nice system idle iowait irq softirq steal; what follows is already in user and nice.
        Some(Self { total: ticks.iter().take(8).sum(), steal: *ticks.get(7)? })
    }

    fn steal_since(self, before: Self) -> Option<f64> {
        let total = self.total.checked_sub(before.total).filter(|total| *total > 0)?;
        Some(self.steal.saturating_sub(before.steal) as f64 / total as f64)
    }
}

#[cfg(test)]
#[path = "probe_tests.rs"]
mod tests;
