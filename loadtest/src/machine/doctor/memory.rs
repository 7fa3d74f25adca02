//! Memory for the sockets, and what would make its figures wrong.

use super::{Doctor, Finding};
use crate::machine::Root;

const GENERATOR_BYTES_PER_SOCKET: u64 = 8 << 10;
const SERVER_BYTES_PER_SOCKET: u64 = 16 << 10;
/// Kernel buffers of both ends of a loopback socket at rest, and the fixed part of both processes.
const KERNEL_BYTES_PER_SOCKET: u64 = 8 << 10;
const BASE_BYTES: u64 = 512 << 20;
const THP: &str = "sys/kernel/mm/transparent_hugepage/enabled";

pub(super) fn huge_pages(root: &Root) -> Finding {
    match root.read(THP) {
        None => Finding::good("huge_pages", "no transparent huge pages"),
        Some(text) if text.contains("[always]") => {
            let found = "always: memory is taken in steps of 2 MiB, so bytes per socket come out too high";
            Finding::warning("huge_pages", found, format!("echo madvise > /{THP}"))
        }
        Some(text) => {
            let mode = text.split(['[', ']']).nth(1).unwrap_or("off");
            Finding::good("huge_pages", mode)
        }
    }
}

pub(super) fn available(root: &Root, asked: &Doctor) -> Finding {
    let Some(free) = root.kib_line("proc/meminfo", "MemAvailable") else {
        return Finding::unknown("memory", "no /proc/meminfo here");
    };
    let free = group_left(root).map_or(free, |left| left.min(free));
    let server = if asked.server_here() { SERVER_BYTES_PER_SOCKET } else { 0 };
    let need = BASE_BYTES + asked.users * (GENERATOR_BYTES_PER_SOCKET + KERNEL_BYTES_PER_SOCKET + server);
    let found = format!("{} MiB available, about {} MiB needed", free >> 20, need >> 20);
    if need <= free {
        return Finding::good("memory", found);
    }
    let fits = free.saturating_sub(BASE_BYTES) / ((need - BASE_BYTES) / asked.users.max(1)).max(1);
    Finding::spoils("memory", found, format!("--users {fits}, or more memory, or workers on other machines"))
}

pub(super) fn swap(root: &Root) -> Finding {
    let total = root.kib_line("proc/meminfo", "SwapTotal");
    let free = root.kib_line("proc/meminfo", "SwapFree");
    match total.zip(free) {
        None => Finding::unknown("swap", "no /proc/meminfo here"),
        Some((0, _)) => Finding::good("swap", "none"),
        Some((total, free)) if total == free => Finding::good("swap", format!("{} MiB, none of it in use", total >> 20)),
        Some((total, free)) => {
            let found = format!("{} MiB of memory are on disk; whoever touches them waits", (total - free) >> 20);
            Finding::warning("swap", found, "swapoff -a")
        }
    }
}

/// What the control group of this process still allows.
fn group_left(root: &Root) -> Option<u64> {
    let groups = root.read("proc/self/cgroup")?;
    let v2 = groups.lines().find_map(|line| line.strip_prefix("0::"));
    let v1 = groups.lines().find_map(|line| line.split_once(":memory:").map(|(_, path)| path));
    let left = |most: &str, used: &str| Some(root.value::<u64>(most)?.saturating_sub(root.value::<u64>(used)?));
    let of_v2 = v2.and_then(|path| {
        let folder = format!("sys/fs/cgroup{}", path.trim_end_matches('/'));
        left(&format!("{folder}/memory.max"), &format!("{folder}/memory.current"))
    });
    of_v2.or_else(|| {
        let folder = format!("sys/fs/cgroup/memory{}", v1?.trim_end_matches('/'));
        left(&format!("{folder}/memory.limit_in_bytes"), &format!("{folder}/memory.usage_in_bytes"))
    })
}
