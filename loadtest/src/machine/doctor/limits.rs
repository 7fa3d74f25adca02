//! Open files: one a socket, in the generator and again in a server of ours.

use super::{Doctor, Finding};
use crate::machine::Root;

/// Log, database, listeners, runtime.
const FILES_BESIDE_SOCKETS: u64 = 200;

/// Soft and hard limit of open files of this process; what it starts inherits them.
pub fn nofile(root: &Root) -> Option<(u64, u64)> {
    let text = root.read("proc/self/limits")?;
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let mut limits = line.split_whitespace().map(|limit| if limit == "unlimited" { Some(u64::MAX) } else { limit.parse().ok() });
    Some((limits.next()??, limits.next()??))
}

pub(super) fn files(limits: Option<(u64, u64)>, asked: &Doctor) -> Finding {
    let Some((soft, hard)) = limits else { return Finding::unknown("files", "no /proc/self/limits here") };
    let own = asked.users_per_worker() + FILES_BESIDE_SOCKETS;
    let server = if asked.target.is_empty() { asked.users + FILES_BESIDE_SOCKETS } else { 0 };
    let need = own.max(server);
    let found = format!("{soft} open files (hard limit {hard}), {need} needed by one process");
    if need <= soft {
        return Finding::good("files", found);
    }
    if need <= hard {
        return Finding::spoils("files", found, format!("ulimit -n {need}"));
    }
    let raise = format!("as root: ulimit -Hn {need} && ulimit -n {need} (systemd: LimitNOFILE={need}; container: --ulimit nofile={need})");
    if server > hard {
        return Finding::spoils("files", found, format!("{raise}, or --users {}", hard.saturating_sub(FILES_BESIDE_SOCKETS)));
    }
    let workers = asked.users.div_ceil(hard.saturating_sub(FILES_BESIDE_SOCKETS).max(1));
    Finding::spoils("files", found, format!("--workers {workers}, or {raise}"))
}
