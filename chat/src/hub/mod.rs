//! Who is connected to this node, and the ways to reach them. Owns the registry of sockets, revocation and drain.
//!
//! Never waits for a socket: everything that is sent goes into a bounded mailbox. What a socket says is `connection`'s business.

mod arrival;
mod delivery;
mod person;
mod publisher;
mod registry;
mod revocation;
mod sweeper;

pub(crate) use person::{Exceeded, Person};
pub use publisher::Publisher;

use crate::clock::Clock;
use crate::connection::{Admission, AttachmentCheck, CloseOrder, EphemeralKey, Link};
use crate::entropy::Entropy;
use crate::errors::CloseCode;
use crate::fanout::Fanout;
use crate::ids::{DeviceId, NodeId, SessionId, UserId};
use crate::limits::HubLimits;
use crate::log::MessageLog;
use crate::presence::PresenceBoard;
use crate::token::TokenKeys;
use crate::wire;
use registry::Registry;
use revocation::Revocations;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{broadcast, mpsc};

/// One open socket of this node; never reused while the process lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u64);

/// Who speaks, as far as the socket knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    pub user: UserId,
    pub session: SessionId,
    pub device: DeviceId,
    pub socket: SocketId,
}

/// A call command on its way to signaling, with its caller proven.
#[derive(Clone, Debug)]
pub struct InboundCall {
    pub from: Caller,
    pub command: wire::CallCommand,
}

/// What happens to an event when the socket is slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Kept unless the socket is far beyond its budget.
    Normal,
    /// Dropped first: typing, SDP, candidates.
    Ephemeral,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HubStats {
    pub sockets: usize,
    pub users: usize,
    pub lagging: usize,
    pub queued_bytes: usize,
}

/// What a hub is made of.
pub struct HubParts {
    pub node: NodeId,
    pub log: Arc<MessageLog>,
    /// The same whose callback the log was opened with.
    pub publisher: Publisher,
    pub clock: Clock,
    pub entropy: Entropy,
    pub tokens: TokenKeys,
    pub limits: HubLimits,
    pub fanout: Fanout,
    /// Call commands go here; when it is full the client is told to retry.
    pub calls: mpsc::Sender<InboundCall>,
    pub attachments: AttachmentCheck,
}

impl std::fmt::Debug for HubParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HubParts").field("node", &self.node).field("limits", &self.limits).finish_non_exhaustive()
    }
}

pub struct Hub {
    pub(crate) log: Arc<MessageLog>,
    pub(crate) attachments: AttachmentCheck,
    admission: Admission,
    pub(crate) node: NodeId,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) tokens: TokenKeys,
    pub(crate) limits: HubLimits,
    pub(crate) calls: mpsc::Sender<InboundCall>,
    pub(crate) presence: PresenceBoard,
    fanout: Fanout,
    registry: Registry,
    revocations: Revocations,
    next_socket: AtomicU64,
    tick: AtomicU32,
    draining: AtomicBool,
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").field("node", &self.node).field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Hub {
    /// Must be called inside a tokio runtime: the sweeper runs there as long as the hub lives.
    pub fn new(parts: HubParts) -> Arc<Self> {
        let now = parts.clock.now();
        let hub = Arc::new(Self {
            log: parts.log,
            attachments: parts.attachments,
            admission: Admission::new(&parts.limits, now),
            node: parts.node,
            clock: parts.clock,
            entropy: parts.entropy,
            tokens: parts.tokens,
            limits: parts.limits,
            calls: parts.calls,
            presence: PresenceBoard::default(),
            fanout: parts.fanout,
            registry: Registry::default(),
            revocations: Revocations::default(),
            next_socket: AtomicU64::new(1),
            tick: AtomicU32::new(0),
            draining: AtomicBool::new(false),
        });
        parts.publisher.attach(&hub);
        sweeper::start(&hub);
        hub
    }

    /// To all sockets of that person, on all nodes. Best effort: nobody connected, nobody reached.
    pub fn send_to_user(&self, user: UserId, event: wire::Event, delivery: Delivery) {
        self.fanout.relay(user, None, &event, delivery);
        self.registry.push(&event, delivery, None, &self.limits, self.registry.links_of(user).iter());
    }

    /// To all sockets of one installation of that person; a browser has one per tab.
    pub fn send_to_device(&self, user: UserId, device: DeviceId, event: wire::Event) {
        self.fanout.relay(user, Some(device), &event, Delivery::Normal);
        let links = self.registry.links_of(user);
        self.registry.push(&event, Delivery::Normal, None, &self.limits, links.iter().filter(|link| link.device == device));
    }

    /// To all sockets of that person on this node but those of one installation: a call that rang on all and was answered on one.
    pub fn send_to_other_devices(&self, user: UserId, device: DeviceId, event: wire::Event) {
        let links = self.registry.links_of(user);
        self.registry.push(&event, Delivery::Normal, None, &self.limits, links.iter().filter(|link| link.device != device));
    }

    /// To one socket of this node; false when it is gone.
    pub fn send_to_socket(&self, user: UserId, socket: SocketId, event: wire::Event) -> bool {
        let links = self.registry.links_of(user);
        let link = links.iter().find(|link| link.id == socket);
        self.registry.push(&event, Delivery::Normal, None, &self.limits, link.into_iter());
        link.is_some()
    }

    /// On any node, as far as this one knows.
    pub fn is_online(&self, user: UserId) -> bool {
        self.registry.has(user) || self.fanout.is_online_elsewhere(user)
    }

    /// People connected to this node, in no order.
    pub fn online_users(&self) -> Vec<UserId> {
        self.registry.users()
    }

    /// (user, online) at each change. A receiver that lags missed changes: it asks [`Self::online_users`] again.
    pub fn watch_presence_changes(&self) -> broadcast::Receiver<(UserId, bool)> {
        self.presence.subscribe()
    }

    /// Closes the session's sockets and refuses its tokens until they have expired. After a restart the caller repeats it for
    /// sessions revoked in the last ten minutes.
    pub fn close_session(&self, session: SessionId, code: CloseCode) {
        if code == CloseCode::Revoked {
            self.revocations.revoke_session(session, self.clock.now());
        }
        self.fanout.close_session(session, code);
        self.registry.for_each(|link| {
            if link.session == session {
                link.close(code);
            }
        });
    }

    /// The same for all sessions of a person that exist now.
    pub fn close_user(&self, user: UserId, code: CloseCode) {
        if code == CloseCode::Revoked {
            self.revocations.revoke_user(user, self.clock.now());
        }
        self.fanout.close_user(user, code);
        for link in self.registry.links_of(user) {
            link.close(code);
        }
    }

    /// Refuses newcomers, writes what waits, closes every socket with a wait of its own drawn from `window`, and returns when all
    /// are gone or `grace` has passed.
    pub async fn drain(&self, window: Duration, grace: Duration) {
        self.draining.store(true, Ordering::SeqCst);
        let window_ms = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
        self.registry.for_each(|link| {
            let within_ms = u32::try_from(self.entropy.up_to(window_ms)).unwrap_or(u32::MAX);
            link.mailbox.close(CloseOrder { code: CloseCode::Drain, within_ms }, false);
        });
        let _ = tokio::time::timeout(grace, self.registry.emptied()).await;
    }

    pub fn limits(&self) -> &HubLimits {
        &self.limits
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    pub fn stats(&self) -> HubStats {
        self.registry.stats()
    }

    pub(crate) fn push_ephemeral<'a>(&self, event: &wire::Event, key: EphemeralKey, links: impl Iterator<Item = &'a Arc<Link>>) {
        self.registry.push(event, Delivery::Ephemeral, Some(key), &self.limits, links);
    }
}
