//! What the node knows of one open socket, shared between its task and the hub.

use super::mailbox::{CloseOrder, Mailbox};
use crate::errors::CloseCode;
use crate::hub::{Person, SocketId};
use crate::ids::{ConversationId, DeviceId, SessionId, Timestamp, UserId};
use crate::token::AccessClaims;
use crate::wire::codec::Subprotocol;
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering},
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
    expires_at: AtomicI64,
    heard_at: AtomicU32,
    progress_at: AtomicU32,
    is_blocked: AtomicBool,
    pinged_at: AtomicU32,
    /// The conversation of the last acknowledged send: its key is at hand.
    warm: Mutex<Option<ConversationId>>,
    watched: Mutex<Vec<UserId>>,
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
            expires_at: AtomicI64::new(claims.expires_at.0),
            heard_at: AtomicU32::new(now),
            progress_at: AtomicU32::new(now),
            is_blocked: AtomicBool::new(false),
            pinged_at: AtomicU32::new(now),
            warm: Mutex::default(),
            watched: Mutex::default(),
        }
    }

    pub fn refresh(&self, claims: &AccessClaims) {
        self.expires_at.store(claims.expires_at.0, Ordering::Relaxed);
    }

    pub fn warm(&self) -> Option<ConversationId> {
        *self.warm.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set_warm(&self, conversation: ConversationId) {
        *self.warm.lock().unwrap_or_else(PoisonError::into_inner) = Some(conversation);
    }

    /// Returns the watch list before.
    pub fn replace_watched(&self, users: Vec<UserId>) -> Vec<UserId> {
        std::mem::replace(&mut self.watched.lock().unwrap_or_else(PoisonError::into_inner), users)
    }

    pub fn heard(&self, now: Tick) {
        self.heard_at.store(now, Ordering::Relaxed);
        self.progress_at.store(now, Ordering::Relaxed);
    }

    /// The kernel takes no more at the moment.
    pub fn blocked(&self) {
        self.is_blocked.store(true, Ordering::Relaxed);
    }

    /// Everything that was written is out.
    pub fn unblocked(&self, now: Tick) {
        self.is_blocked.store(false, Ordering::Relaxed);
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
        } else if self.is_blocked.load(Ordering::Relaxed) && tick.wrapping_sub(self.progress_at.load(Ordering::Relaxed)) >= patience {
            self.close(CloseCode::NoProgress);
        } else if silent >= 3 * heartbeat {
            self.close(CloseCode::HeartbeatLost);
        } else if silent >= heartbeat && tick.wrapping_sub(self.pinged_at.load(Ordering::Relaxed)) >= heartbeat {
            self.pinged_at.store(tick, Ordering::Relaxed);
            self.mailbox.ping();
        }
    }
}
