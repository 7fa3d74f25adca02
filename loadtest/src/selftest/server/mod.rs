//! The selftest server: the public protocol in memory, on a free port of this machine, inside this process.
//!
//! Honest unless a lie is planted. It is made for being checked, not for load: one lock, no disk.

mod calls;
mod http;
mod liar;
mod log;
mod read;
mod shop;
mod slots;
mod socket;
mod speak;
mod world;

pub use liar::Planted;
pub use speak::TAIL_FACTOR;

use super::lies::Lie;
use crate::clock::Clock;
use hdrhistogram::Histogram;
use http::Shared;
use socket::Truth;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use world::{Stall, World};

/// How often rings are looked at whose time is up.
const SWEEP: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub struct Server {
    pub address: SocketAddr,
    shared: Shared,
    truth: Truth,
    /// Everything the server does ends when this is dropped.
    _tasks: JoinSet<()>,
}

#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub people: usize,
    pub planted: Option<Planted>,
    pub seed: u64,
    /// The pause of [`Lie::Stall`], from the first message on.
    pub stall_micros: Option<(u64, u64)>,
    /// What every acknowledgement takes at least; the tail of [`Lie::SlowTail`] takes [`TAIL_FACTOR`] times as long.
    pub slow_micros: u64,
}

impl Server {
    pub async fn start(options: Options) -> std::io::Result<Self> {
        let mut world = World::new(options.people, options.planted, options.seed, Clock::start());
        world.stall = Stall { after_micros: options.stall_micros, ..Stall::default() };
        world.slow_micros = options.slow_micros;
        let shared = Shared::new(world);
        let truth = Histogram::new_with_bounds(1, 600_000_000, 3).map_err(std::io::Error::other)?;
        let truth: Truth = Arc::new(Mutex::new(truth));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (requests, doorway) = mpsc::channel(256);
        let mut tasks = JoinSet::new();
        let router = http::router(shared.clone());
        tasks.spawn(async move {
            // Ends with the accepting task, whose channel it reads.
            let _ = axum::serve(Doorway { requests: doorway, address }, router).await;
        });
        tasks.spawn(accept(listener, shared.clone(), truth.clone(), requests));
        let swept = shared.clone();
        tasks.spawn(async move {
            loop {
                tokio::time::sleep(SWEEP).await;
                swept.world().sweep();
            }
        });
        Ok(Self { address, shared, truth, _tasks: tasks })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// As `wenzhen admin mint-tokens` writes them.
    pub fn people(&self) -> Vec<String> {
        let world = self.shared.world();
        let line = |resident: &world::Resident| {
            serde_json::json!({
                "user": resident.user,
                "role": if resident.role == chat::wire::SenderRole::Patient { "patient" } else { "doctor" },
                "conversation": resident.conversation,
                "peer": world.residents[resident.peer].user,
                "access_token": resident.access_token,
                "expires_at_ms": world::now_ms() + world::TOKEN_LIFE_MS,
                "refresh_token": resident.refresh_token,
                "session": resident.session,
            })
            .to_string()
        };
        world.residents.iter().map(line).collect()
    }

    /// How often the lie was told.
    pub fn told(&self) -> u64 {
        let world = self.shared.world();
        world.liar.told() + u64::from(world.stall.until > 0)
    }

    /// How long acknowledgements were kept here, in microseconds.
    pub fn kept_micros(&self) -> Histogram<u64> {
        self.truth.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Requests that are no sockets go on to axum.
struct Doorway {
    requests: mpsc::Receiver<TcpStream>,
    address: SocketAddr,
}

impl axum::serve::Listener for Doorway {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        match self.requests.recv().await {
            Some(stream) => (stream, self.address),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn accept(listener: TcpListener, shared: Shared, truth: Truth, requests: mpsc::Sender<TcpStream>) {
    let mut open = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (shared, truth, requests) = (shared.clone(), truth.clone(), requests.clone());
        open.spawn(async move {
            if stream.set_nodelay(true).is_err() {
                return;
            }
            if !asks_for_socket(&stream).await {
                // Axum may have ended with the server.
                let _ = requests.send(stream).await;
                return;
            }
            let (refuses, ignores) = {
                let mut world = shared.world();
                (world.liar.strikes(Lie::RefuseConnects, true), world.liar.strikes(Lie::NeverRead, true))
            };
            match (refuses, ignores) {
                (true, _) => refuse(stream).await,
                (_, true) => std::future::pending().await,
                _ => socket::serve(stream, shared, truth).await,
            }
        });
        while open.try_join_next().is_some() {}
    }
}

/// Looks at the first line without taking it.
async fn asks_for_socket(stream: &TcpStream) -> bool {
    const SOCKET: &[u8] = b"GET /v1/socket";
    let mut start = [0; SOCKET.len()];
    loop {
        match stream.peek(&mut start).await {
            Ok(length) if length == SOCKET.len() => return start == SOCKET,
            Ok(0) | Err(_) => return false,
            // A first line in pieces: the rest is on its way.
            Ok(_) => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}

async fn refuse(mut stream: TcpStream) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    // What was asked is read first, else the end of the connection would be a reset that eats the answer.
    let mut asked = [0; 4096];
    if stream.read(&mut asked).await.is_ok() {
        let _ =
            stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    }
}

#[cfg(test)]
mod tests;
