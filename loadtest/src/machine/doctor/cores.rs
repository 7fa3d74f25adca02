//! Who else uses the cores: the server, other processes, the hypervisor, a quota.

use super::{Doctor, Finding};
use crate::machine::Root;
use crate::machine::probe::cores_allowed;

const GOVERNOR: &str = "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";

pub(super) fn count(root: &Root, asked: &Doctor) -> Finding {
    let cores = allowed(root, "self").len() as u64;
    let found = format!("{cores} cores for this process");
    match cores {
        0 => Finding::unknown("cores", "no /proc/self/status here"),
        1 if asked.server_here() => {
            Finding::spoils("cores", format!("{found}: the server would have to share it"), "two cores, or --target elsewhere")
        }
        _ if asked.workers > cores => {
            Finding::warning("cores", format!("{found}, {} workers", asked.workers), format!("--workers {cores}"))
        }
        _ if asked.target.is_empty() && !asked.pin => {
            Finding::warning("cores", format!("{found}, shared with the server that will be started"), "--pin")
        }
        _ => Finding::good("cores", found),
    }
}

/// A server that runs already.
pub(super) fn shared(root: &Root, server_pid: u32, asked: &Doctor) -> Finding {
    let (own, servers) = (allowed(root, "self"), allowed(root, &server_pid.to_string()));
    if own.is_empty() || servers.is_empty() {
        return Finding::unknown("shared_cores", format!("no process {server_pid} here"));
    }
    let common = own.iter().filter(|core| servers.contains(core)).count();
    if common == 0 {
        return Finding::good("shared_cores", "server and generator have cores of their own");
    }
    let found = format!("server and generator share {common} cores: each takes the other's time");
    match own.len() {
        1 => Finding::warning("shared_cores", found, "another core for the server: taskset -a -c -p CORES PID"),
        _ if asked.pin => Finding::good("shared_cores", format!("{common} cores are shared now, --pin will part them")),
        half => {
            let (first, rest) = own.split_at(half / 2);
            let list = |cores: &[u32]| cores.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
            let fix = format!("taskset -a -c -p {} {server_pid}, and start loadtest under taskset -c {}", list(first), list(rest));
            Finding::warning("shared_cores", found, fix)
        }
    }
}

pub(super) fn load(root: &Root) -> Finding {
    let load = root.read("proc/loadavg").and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    let cores = allowed(root, "self").len().max(1) as f64;
    let Some(load) = load else { return Finding::unknown("load", "no /proc/loadavg here") };
    let found = format!("{load:.2} runnable on average over the last minute, {cores} cores");
    match load / cores {
        part if part < 0.25 => Finding::good("load", found),
        part if part < 0.75 => Finding::warning("load", found, "stop what else runs here: top -o %CPU"),
        _ => Finding::spoils("load", found, "stop what else runs here: top -o %CPU"),
    }
}

/// `steal`: part of all cores over the last second; none where it cannot be read.
pub(super) fn steal(steal: Option<f64>) -> Finding {
    let Some(steal) = steal else { return Finding::unknown("steal", "no /proc/stat here") };
    let found = format!("{:.1} % of the cores' time taken by the hypervisor in the last second", steal * 100.0);
    match steal {
        part if part < 0.01 => Finding::good("steal", found),
        part if part < 0.05 => Finding::warning("steal", found, "a machine with cores of its own, or another hour"),
        _ => Finding::spoils("steal", found, "a machine with cores of its own, or another hour"),
    }
}

pub(super) fn frequency(root: &Root) -> Finding {
    match root.read(GOVERNOR) {
        None => Finding::good("frequency", "not regulated by this system"),
        Some(mode) if mode.trim() == "performance" => Finding::good("frequency", "performance"),
        Some(mode) => {
            let found = format!("governor {}: an idle core wakes slowly, so low rates look worse than high ones", mode.trim());
            Finding::warning("frequency", found, "cpupower frequency-set -g performance")
        }
    }
}

pub(super) fn quota(root: &Root) -> Finding {
    match quota_cores(root) {
        None => Finding::good("cpu_quota", "none"),
        Some(cores) => {
            let found = format!("the control group stops us after {cores:.2} cores' time in each period, for tens of milliseconds");
            let fix = "no CPU limit for the generator (container: leave out --cpus; Kubernetes: no limits.cpu)";
            if cores < 1.0 { Finding::spoils("cpu_quota", found, fix) } else { Finding::warning("cpu_quota", found, fix) }
        }
    }
}

/// Of the own control group or any above it, the tightest.
fn quota_cores(root: &Root) -> Option<f64> {
    let groups = root.read("proc/self/cgroup")?;
    let mut tightest: Option<f64> = None;
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let (top, v2) = match controllers {
            "" => ("sys/fs/cgroup", true),
            _ if controllers.split(',').any(|controller| controller == "cpu") => ("sys/fs/cgroup/cpu", false),
            _ => continue,
        };
        let mut path = path.trim_end_matches('/');
        loop {
            let found = if v2 { v2_cores(root, &format!("{top}{path}")) } else { v1_cores(root, &format!("{top}{path}")) };
            tightest = tightest.into_iter().chain(found).reduce(f64::min);
            let Some((above, _)) = path.rsplit_once('/') else { break };
            path = above;
        }
    }
    tightest
}

/// `50000 100000` or `max 100000`.
fn v2_cores(root: &Root, group: &str) -> Option<f64> {
    let text = root.read(&format!("{group}/cpu.max"))?;
    let (quota, period) = text.trim().split_once(' ')?;
    Some(quota.parse::<f64>().ok()? / period.parse::<f64>().ok()?)
}

/// -1 is none.
fn v1_cores(root: &Root, group: &str) -> Option<f64> {
    let quota = root.value::<f64>(&format!("{group}/cpu.cfs_quota_us")).filter(|quota| *quota > 0.0)?;
    Some(quota / root.value::<f64>(&format!("{group}/cpu.cfs_period_us"))?)
}

fn allowed(root: &Root, pid: &str) -> Vec<u32> {
    root.read(&format!("proc/{pid}/status")).map(|status| cores_allowed(&status)).unwrap_or_default()
}
