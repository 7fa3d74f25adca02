//! The doorbells between nodes. The log is the truth; a doorbell only says that somebody should look.
//!
//! Contract of every variant: a doorbell may be lost, repeated and reordered, and none of its methods waits. Entries heal from the
//! log by their dense seq; everything else is a hint whose loss costs freshness only. [`Fanout::Local`] is a single node.

use crate::errors::CloseCode;
use crate::hub::Delivery;
use crate::ids::{DeviceId, SessionId, UserId};
use crate::wire;

/// Built in one place, from the configuration.
#[derive(Clone, Debug)]
pub enum Fanout {
    Local(Local),
}

/// No other node: everybody who is connected is connected here.
#[derive(Clone, Copy, Debug, Default)]
pub struct Local;

impl Fanout {
    pub fn local() -> Self {
        Self::Local(Local)
    }

    /// Hands an event to the other nodes on which the person (or one of his devices) may have sockets. Unordered, best effort.
    pub fn relay(&self, _user: UserId, _device: Option<DeviceId>, _event: &wire::Event, _delivery: Delivery) {
        match self {
            Self::Local(Local) => {}
        }
    }

    /// Tells the other nodes that a session ended. They apply it within a second; a node that was away learns it from SQL.
    pub fn close_session(&self, _session: SessionId, _code: CloseCode) {
        match self {
            Self::Local(Local) => {}
        }
    }

    pub fn close_user(&self, _user: UserId, _code: CloseCode) {
        match self {
            Self::Local(Local) => {}
        }
    }

    /// Tells the other nodes of a person's first and last socket here. A crash leaves a ghost for at most 60 s.
    pub fn presence(&self, _user: UserId, _online: bool) {
        match self {
            Self::Local(Local) => {}
        }
    }

    /// As last heard; unknown counts as offline.
    pub fn is_online_elsewhere(&self, _user: UserId) -> bool {
        match self {
            Self::Local(Local) => false,
        }
    }
}
