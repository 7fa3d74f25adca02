//! Source addresses and ports of the generator, accounted per (source, destination).
//!
//! A connection is a (source, port, destination) triple, and a source has about 28,000 ports to one destination: with many
//! sources (`--src-net 127.16.0.0/12` on loopback) one machine opens more. Running out is the generator's limit and must
//! never be told as the server's error. Ports that are given back are used again last, when TIME_WAIT is over most likely.

mod net;
mod pool;

#[cfg(test)]
mod tests;

pub use net::SourceNet;
pub use pool::{Slice, ephemeral_ports};

use pool::{Held, Pool};
use std::io::ErrorKind;
#[cfg(test)]
use std::net::IpAddr;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::{TcpSocket, TcpStream};

/// Ports that another process holds or that wait in TIME_WAIT are passed over so many times.
const PASSED_OVER_MAX: usize = 256;
const EMFILE: i32 = 24;
const ENFILE: i32 = 23;

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Ports, files or memory of this machine: says nothing about the server.
    #[error("generator limit: {0}")]
    Generator(#[from] Limit),
    #[error("connecting to {to}")]
    Server { to: SocketAddr, source: std::io::Error },
}

#[derive(Debug, thiserror::Error)]
pub enum Limit {
    #[error("no port left to {to} from {sources} source addresses")]
    Ports { to: SocketAddr, sources: u64 },
    #[error("{PASSED_OVER_MAX} ports in a row are taken by others or wait in TIME_WAIT to {to}")]
    Taken { to: SocketAddr },
    #[error("source addresses {net} cannot reach {to}")]
    Unreachable { net: SourceNet, to: SocketAddr },
    #[error("no file, address or memory left")]
    System(#[source] std::io::Error),
}

impl ConnectError {
    #[cfg(test)]
    pub fn is_generator(&self) -> bool {
        matches!(self, Self::Generator(_))
    }
}

/// Shared by every connection of this process.
#[derive(Clone, Debug)]
pub struct Sources(Arc<Mutex<Pool>>);

impl Sources {
    /// Without a net the kernel chooses the source; connections are only counted. Workers of one machine take disjoint slices.
    pub fn new(net: Option<SourceNet>, slice: Slice, ports: RangeInclusive<u16>) -> Self {
        Self(Arc::new(Mutex::new(Pool::new(net, slice, ports))))
    }

    /// Opens a connection; the lease goes with it and gives the port back when dropped.
    pub async fn connect(&self, to: SocketAddr) -> Result<(TcpStream, Lease), ConnectError> {
        for _ in 0..PASSED_OVER_MAX {
            let lease = self.lease(to)?;
            match open(to, &lease).await {
                Ok(stream) => return Ok((stream, lease)),
                Err(error) if lease.held.source.is_some() && taken(&error) => {}
                Err(error) => return Err(told_apart(error, to)),
            }
        }
        Err(Limit::Taken { to }.into())
    }

    pub fn lease(&self, to: SocketAddr) -> Result<Lease, Limit> {
        let held = self.pool().take(to)?;
        Ok(Lease { held, to, sources: self.clone() })
    }

    /// Open connections to `to` from each source that was used, in their order.
    #[cfg(test)]
    pub fn in_use(&self, to: SocketAddr) -> Vec<(Option<IpAddr>, usize)> {
        self.pool().in_use(to)
    }

    fn pool(&self) -> std::sync::MutexGuard<'_, Pool> {
        // Every change is one call that cannot fail half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
pub struct Lease {
    held: Held,
    to: SocketAddr,
    sources: Sources,
}

impl Lease {
    /// Where to bind; none where the kernel chooses.
    pub fn bind(&self) -> Option<SocketAddr> {
        self.held.source
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.sources.pool().give_back(self.to, self.held);
    }
}

async fn open(to: SocketAddr, lease: &Lease) -> std::io::Result<TcpStream> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(source) = lease.bind() {
        // The same source port to different destinations: only the whole tuple has to be unique.
        socket.set_reuseaddr(true)?;
        socket.bind(source)?;
    }
    socket.connect(to).await
}

fn taken(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::AddrNotAvailable)
}

fn told_apart(error: std::io::Error, to: SocketAddr) -> ConnectError {
    let ours = taken(&error) || error.kind() == ErrorKind::OutOfMemory || matches!(error.raw_os_error(), Some(EMFILE | ENFILE));
    if ours { Limit::System(error).into() } else { ConnectError::Server { to, source: error } }
}
