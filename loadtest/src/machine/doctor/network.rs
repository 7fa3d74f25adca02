//! Ports, queues of unaccepted connections, and the connection tracking of the kernel.

use super::{Doctor, Finding};
use crate::machine::Root;
use std::ops::RangeInclusive;

/// What the server asks of listen(2); the kernel cuts it to somaxconn.
const BACKLOG: u64 = 1024;

pub(super) fn ports(range: &RangeInclusive<u16>, asked: &Doctor) -> Finding {
    let sources = asked.src_net.map_or(1, |net| net.hosts());
    let targets = asked.target.len().max(1) as u64;
    let have = range.len() as u64 * sources * targets;
    let found = format!("{} ports × {sources} sources × {targets} targets, {} connections wanted", range.len(), asked.users);
    if have >= asked.users {
        return Finding::good("ports", found);
    }
    let net = if asked.server_here() { "--src-net 127.16.0.0/12" } else { "--src-net with addresses of this machine's interfaces" };
    Finding::spoils("ports", found, format!("{net}, or sysctl -w net.ipv4.ip_local_port_range='1024 65535'"))
}

pub(super) fn somaxconn(root: &Root, asked: &Doctor) -> Finding {
    let path = "proc/sys/net/core/somaxconn";
    server_side(root, asked, "somaxconn", path, BACKLOG, "net.core.somaxconn", "waiting to be accepted")
}

pub(super) fn syn_backlog(root: &Root, asked: &Doctor) -> Finding {
    let path = "proc/sys/net/ipv4/tcp_max_syn_backlog";
    server_side(root, asked, "syn_backlog", path, BACKLOG, "net.ipv4.tcp_max_syn_backlog", "half-open connections")
}

fn server_side(root: &Root, asked: &Doctor, check: &str, path: &str, least: u64, name: &str, what: &str) -> Finding {
    if !asked.server_here() {
        return Finding::unknown(check, "the server is elsewhere; look there");
    }
    match root.value::<u64>(path) {
        None => Finding::unknown(check, format!("no /{path} here")),
        Some(now) if now >= least => Finding::good(check, format!("{now} {what}")),
        Some(now) => {
            let found = format!("{now} {what}; a burst of connects waits a second for its second SYN");
            Finding::warning(check, found, format!("sysctl -w {name}=4096"))
        }
    }
}

/// Since the machine started, so it can only hint.
pub(super) fn overflows(root: &Root, asked: &Doctor) -> Finding {
    if !asked.server_here() {
        return Finding::unknown("listen_overflow", "the server is elsewhere; look there");
    }
    match root.read("proc/net/netstat").and_then(|text| counter(&text, "ListenOverflows")) {
        None => Finding::unknown("listen_overflow", "no /proc/net/netstat here"),
        Some(0) => Finding::good("listen_overflow", "no connection was ever dropped from a full accept queue"),
        Some(count) => Finding::warning(
            "listen_overflow",
            format!("{count} connections were dropped from full accept queues since this machine started"),
            "a lower --connect-rate, if the count grows during a run",
        ),
    }
}

pub(super) fn conntrack(root: &Root, asked: &Doctor) -> Finding {
    let most = root.value::<u64>("proc/sys/net/netfilter/nf_conntrack_max");
    let now = root.value::<u64>("proc/sys/net/netfilter/nf_conntrack_count");
    let (Some(most), Some(now)) = (most, now) else { return Finding::good("conntrack", "connections are not tracked") };
    let need = now + asked.users * 2;
    let found = format!("{now} of {most} tracked connections in use, {} more wanted", asked.users);
    if need <= most {
        return Finding::good("conntrack", found);
    }
    Finding::spoils("conntrack", found, format!("sysctl -w net.netfilter.nf_conntrack_max={}", need.next_power_of_two()))
}

/// `/proc/net/netstat` is pairs of lines: names, then values.
fn counter(text: &str, name: &str) -> Option<u64> {
    let lines: Vec<&str> = text.lines().collect();
    lines.chunks(2).find_map(|pair| {
        let [names, values] = pair else { return None };
        let at = names.split_whitespace().position(|found| found == name)?;
        values.split_whitespace().nth(at)?.parse().ok()
    })
}
