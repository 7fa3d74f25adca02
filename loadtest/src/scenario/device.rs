//! A person's device that a scenario speaks through itself: heartbeats answered, token renewed in time, reopened when it is lost.

use crate::connect::{Ended, Socket};
use crate::run::{Part, Run};
use chat::wire::{Refresh, command, event};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

const COME_BACK_AFTER: Duration = Duration::from_secs(1);
/// Where a token cannot be renewed there is nothing to wait for.
const FOR_EVER: Duration = Duration::from_secs(30 * 24 * 3600);

#[derive(Debug)]
pub(super) enum Heard {
    Event(event::Kind),
    /// What was asked before this is not answered any more.
    Reopened,
    /// For good.
    Ended {
        at_micros: u64,
        ended: Ended,
    },
}

#[derive(Debug)]
pub(super) struct Device {
    run: Arc<Run>,
    person: u32,
    socket: Socket,
    commands: mpsc::UnboundedReceiver<command::Kind>,
    heard: mpsc::UnboundedSender<Heard>,
    id: uuid::Uuid,
}

/// The scenario's end: commands in, events out. Dropping `to` closes the device.
#[derive(Debug)]
pub(super) struct Line {
    pub to: mpsc::UnboundedSender<command::Kind>,
    pub from: mpsc::UnboundedReceiver<Heard>,
}

impl Device {
    pub fn start(part: &Part, person: u32, socket: Socket) -> Line {
        let (to, commands) = mpsc::unbounded_channel();
        let (heard, from) = mpsc::unbounded_channel();
        let id = crate::seed::Seeded::new(part.run.plan.seed, &format!("{} device {person} again", part.label())).uuid();
        tokio::spawn(Self { run: part.run.clone(), person, socket, commands, heard, id }.stay());
        Line { to, from }
    }

    async fn stay(mut self) {
        let mut renewal = Box::pin(tokio::time::sleep(self.until_renewal()));
        loop {
            tokio::select! {
                wish = self.commands.recv() => match wish {
                    // What cannot be sent shows at the next read.
                    Some(wish) => drop(self.socket.send(wish).await),
                    None => return self.socket.close().await,
                },
                heard = self.socket.next() => match heard {
                    Ok(kind) => if self.heard.send(Heard::Event(kind)).is_err() {
                        return self.socket.close().await;
                    },
                    Err(ended) => {
                        self.run.meters.socket_lost();
                        if !self.came_back(ended).await {
                            return;
                        }
                    }
                },
                () = &mut renewal => {
                    self.renew().await;
                    renewal.set(tokio::time::sleep(self.until_renewal()));
                }
            }
        }
    }

    async fn came_back(&mut self, ended: Ended) -> bool {
        let at_micros = self.run.clock.micros();
        let is_revoked = matches!(ended, Ended::Closed { code: 4004, .. });
        // Whether a session was meant to be revoked, only its scenario knows.
        if !is_revoked && !self.run.fault_is_on() {
            self.run.fail(&ended.class());
        }
        if ended.come_back().is_none() {
            // The scenario may have heard enough.
            let _ = self.heard.send(Heard::Ended { at_micros, ended });
            return false;
        }
        self.reopen().await && self.heard.send(Heard::Reopened).is_ok()
    }

    /// False when nobody needs the device any more.
    async fn reopen(&mut self) -> bool {
        while !self.commands.is_closed() {
            // The sender lives as long as the run.
            let _ = self.run.server_up.subscribe().wait_for(|up| *up).await;
            tokio::time::sleep(COME_BACK_AFTER).await;
            let who = &self.run.people[self.person as usize];
            match Socket::open(self.run.target(who), &who.access_token(), self.id).await {
                Ok(socket) => {
                    self.socket = socket;
                    self.run.meters.socket_opened();
                    return true;
                }
                Err(error) => self.run.fail(&format!("reopen_{}", error.class())),
            }
        }
        false
    }

    async fn renew(&mut self) {
        let who = &self.run.people[self.person as usize];
        if let Err(class) = who.renew_if_due(&self.run.http, self.run.target(who)).await {
            self.run.fail(&format!("renew_{class}"));
        }
        // A lost socket shows at the next read.
        let _ = self.socket.send(command::Kind::Refresh(Refresh { access_token: who.access_token() })).await;
    }

    fn until_renewal(&self) -> Duration {
        let now = i64::try_from(crate::clock::unix_ms()).unwrap_or(i64::MAX);
        let until = |at: i64| Duration::from_millis(u64::try_from(at - now).unwrap_or(0).max(1_000));
        self.run.people[self.person as usize].renew_at_ms().map_or(FOR_EVER, until)
    }
}
