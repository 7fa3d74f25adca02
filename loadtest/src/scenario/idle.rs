//! `idle`: open sockets and answered heartbeats, nothing else. What a socket costs in memory and timers.

use crate::connect::Socket;
use crate::people::Person;
use crate::run::{Part, RunError};
use chat::wire::{Refresh, command};
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
    for (person, socket) in sockets {
        holding.spawn(hold(part.run.clone(), person, socket, end));
    }
    let kept = holding.join_all().await;
    part.done().await;
    let mut closing: tokio::task::JoinSet<()> = kept.into_iter().flatten().map(Socket::close).collect();
    while closing.join_next().await.is_some() {}
    Ok(())
}

/// Reading is what answers the server's pings. None when the server hung up.
async fn hold(run: Arc<crate::run::Run>, person: u32, mut socket: Socket, end: tokio::time::Instant) -> Option<Socket> {
    let who = &run.people[person as usize];
    let mut renewal = run.clock.at(run.clock.micros()) + who.until_renewal(person);
    loop {
        match tokio::time::timeout_at(end.min(renewal), socket.next()).await {
            Err(_) if renewal < end => {
                renew(&run, who, &mut socket).await;
                renewal = run.clock.at(run.clock.micros()) + who.until_renewal(person);
            }
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

/// A socket outlives its token only by a newer one.
async fn renew(run: &crate::run::Run, who: &Person, socket: &mut Socket) {
    if let Err(class) = who.renew_if_due(&run.http, run.target(who)).await {
        run.fail(&format!("renew_{class}"));
    }
    // A socket that is gone shows in the next read.
    let _ = socket.send(command::Kind::Refresh(Refresh { access_token: who.access_token() })).await;
}
