//! `idle`: open sockets and answered heartbeats, nothing else. What a socket costs in memory and timers.

use crate::connect::Socket;
use crate::run::{Part, RunError};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {}

pub async fn run(part: Part) -> Result<(), RunError> {
    let _: Options = part.options()?;
    let sockets = part.open_all().await;
    part.begin().await;
    let end = part.run.clock.at(part.run.end_micros());
    let mut holding = tokio::task::JoinSet::new();
    for (_, socket) in sockets {
        holding.spawn(hold(part.run.clone(), socket, end));
    }
    let kept = holding.join_all().await;
    part.done().await;
    let mut closing: tokio::task::JoinSet<()> = kept.into_iter().flatten().map(Socket::close).collect();
    while closing.join_next().await.is_some() {}
    Ok(())
}

/// Reading is what answers the server's pings. None when the server hung up.
async fn hold(run: Arc<crate::run::Run>, mut socket: Socket, end: tokio::time::Instant) -> Option<Socket> {
    loop {
        match tokio::time::timeout_at(end, socket.next()).await {
            Err(_) => return Some(socket),
            Ok(Ok(_)) => {}
            Ok(Err(ended)) => {
                run.fail(&ended.class());
                run.meters.socket_lost();
                return None;
            }
        }
    }
}
