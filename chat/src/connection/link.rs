//! What the node knows of one open socket, shared between its task and the hub.

use super::mailbox::{CloseOrder, Mailbox};
use crate::errors::CloseCode;
use crate::hub::{Person, SocketId};
use crate::ids::{DeviceId, SessionId, Timestamp, UserId};
use crate::token::AccessClaims;
use crate::wire::codec::Subprotocol;
use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU32, Ordering},
};

/// Counts sweeps, not time: cheap to read, and still while a test holds the clock.
pub(crate) type Tick = u32;

#[derive(Debug)]
pub(crate) struct Link {
    pub id: SocketId,
    pub user: UserId,
    pub session: SessionId,
    pub device: DeviceId,
    pub subprotocol: Subprotocol,
    pub person: Arc<Person>,
    pub mailbox: Mailbox,
    pub issued_at: AtomicI64,
    expires_at: AtomicI64,
    heard_at: AtomicU32,
    progress_at: AtomicU32,
    pinged_at: AtomicU32,
}

impl Link {
    pub fn new(id: SocketId, claims: &AccessClaims, device: DeviceId, subprotocol: Subprotocol, person: Arc<Person>, now: Tick) -> Self {
        Self {
            id,
            user: claims.user,
            session: claims.session,
            device,
            subprotocol,
            person,
            mailbox: Mailbox::default(),
            issued_at: AtomicI64::new(claims.issued_at.0),
            expires_at: AtomicI64::new(claims.expires_at.0),
            heard_at: AtomicU32::new(now),
            progress_at: AtomicU32::new(now),
            pinged_at: AtomicU32::new(now),
        }
    }

    pub fn refresh(&self, claims: &AccessClaims) {
        self.issued_at.store(claims.issued_at.0, Ordering::Relaxed);
        self.expires_at.store(claims.expires_at.0, Ordering::Relaxed);
    }

    pub fn heard(&self, now: Tick) {
        self.heard_at.store(now, Ordering::Relaxed);
        self.progress_at.store(now, Ordering::Relaxed);
    }

    pub fn progressed(&self, now: Tick) {
        self.progress_at.store(now, Ordering::Relaxed);
    }

    pub fn close(&self, code: CloseCode) {
        self.mailbox.close(CloseOrder { code, within_ms: code.within_ms() }, code == CloseCode::Revoked);
    }

    /// Deadlines in ticks; called by the sweeper.
    pub fn sweep(&self, tick: Tick, now: Timestamp, heartbeat: Tick, patience: Tick) {
        let silent = tick.wrapping_sub(self.heard_at.load(Ordering::Relaxed));
        if now.0 >= self.expires_at.load(Ordering::Relaxed) {
            self.close(CloseCode::TokenExpired);
        } else if self.mailbox.bytes() > 0 && tick.wrapping_sub(self.progress_at.load(Ordering::Relaxed)) >= patience {
            self.close(CloseCode::NoProgress);
        } else if silent >= 3 * heartbeat {
            self.close(CloseCode::HeartbeatLost);
        } else if silent >= heartbeat && tick.wrapping_sub(self.pinged_at.load(Ordering::Relaxed)) >= heartbeat {
            self.pinged_at.store(tick, Ordering::Relaxed);
            self.mailbox.ping();
        }
    }
}
