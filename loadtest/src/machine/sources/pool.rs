//! Which (source, port) is free to which destination. Fills one source before it takes the next.

use super::{Limit, SourceNet};
use crate::machine::Root;
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

/// This process's part of the sources: addresses `index`, `index + of`, `index + 2·of` …
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    pub index: u32,
    pub of: u32,
}

impl Slice {
    #[cfg(test)]
    pub const WHOLE: Self = Self { index: 0, of: 1 };
}

/// What a lease has to give back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    row: usize,
    pub source: Option<SocketAddr>,
}

#[derive(Debug)]
pub(super) struct Pool {
    net: Option<SourceNet>,
    slice: Slice,
    ports: RangeInclusive<u16>,
    destinations: HashMap<SocketAddr, Destination>,
}

#[derive(Debug, Default)]
struct Destination {
    /// The source that is being filled.
    current: usize,
    rows: Vec<Row>,
}

/// The ports of one source to one destination.
#[derive(Debug)]
struct Row {
    source: Option<IpAddr>,
    in_use: usize,
    /// Ports from the start of the range that were given out at least once.
    begun: usize,
    back: VecDeque<u16>,
}

impl Pool {
    pub fn new(net: Option<SourceNet>, slice: Slice, ports: RangeInclusive<u16>) -> Self {
        Self { net, slice, ports, destinations: HashMap::new() }
    }

    pub fn take(&mut self, to: SocketAddr) -> Result<Held, Limit> {
        if let Some(net) = self.net
            && (to.is_ipv6() || net.is_loopback() != to.ip().is_loopback())
        {
            return Err(Limit::Unreachable { net, to });
        }
        let destination = self.destinations.entry(to).or_default();
        let opened = destination.rows.len();
        for step in 0..=opened {
            let row = if step == opened { opened } else { (destination.current + step) % opened };
            if row == opened {
                let Some(source) = source(self.net, self.slice, opened) else { break };
                destination.rows.push(Row { source, in_use: 0, begun: 0, back: VecDeque::new() });
            }
            if let Some(source) = destination.rows[row].take(&self.ports) {
                destination.current = row;
                return Ok(Held { row, source });
            }
        }
        Err(Limit::Ports { to, sources: opened as u64 })
    }

    pub fn give_back(&mut self, to: SocketAddr, held: Held) {
        if let Some(row) = self.destinations.get_mut(&to).and_then(|destination| destination.rows.get_mut(held.row)) {
            row.in_use -= 1;
            row.back.extend(held.source.map(|source| source.port()));
        }
    }

    #[cfg(test)]
    pub fn in_use(&self, to: SocketAddr) -> Vec<(Option<IpAddr>, usize)> {
        let rows = self.destinations.get(&to).map(|destination| destination.rows.as_slice()).unwrap_or_default();
        rows.iter().map(|row| (row.source, row.in_use)).collect()
    }
}

impl Row {
    /// The inner option is none where the kernel chooses; the outer where every port is in use.
    fn take(&mut self, ports: &RangeInclusive<u16>) -> Option<Option<SocketAddr>> {
        let Some(address) = self.source else {
            let free = self.in_use < ports.len();
            self.in_use += usize::from(free);
            return free.then_some(None);
        };
        let fresh = u16::try_from(self.begun).ok().and_then(|begun| ports.start().checked_add(begun)).filter(|port| ports.contains(port));
        let port = match fresh {
            Some(port) => {
                self.begun += 1;
                port
            }
            None => self.back.pop_front()?,
        };
        self.in_use += 1;
        Some(Some(SocketAddr::new(address, port)))
    }
}

/// The source of a row; the kernel's own choice is the one row without a net.
fn source(net: Option<SourceNet>, slice: Slice, row: usize) -> Option<Option<IpAddr>> {
    match net {
        None => (row == 0).then_some(None),
        Some(net) => {
            let index = u64::from(slice.index) + row as u64 * u64::from(slice.of);
            net.host(index).map(|address| Some(IpAddr::V4(address)))
        }
    }
}

/// What the kernel gives out here; its own default where that cannot be read.
pub fn ephemeral_ports(root: &Root) -> RangeInclusive<u16> {
    let text = root.read("proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut ends = text.split_whitespace().filter_map(|end| end.parse::<u16>().ok());
    match (ends.next(), ends.next()) {
        (Some(first), Some(last)) if first <= last => first..=last,
        _ => 32_768..=60_999,
    }
}
