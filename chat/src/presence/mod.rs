//! Who watches whose presence, and the news of it. Online = at least one authenticated socket.
//!
//! A doctor's presence is public. Anybody else's is shown only to people of the same conversation: to others he is always offline,
//! like somebody who never existed.

use crate::connection::{EphemeralKey, Link};
use crate::hub::{Hub, SocketId};
use crate::ids::{Role, UserId};
use crate::wire;
use dashmap::DashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::broadcast;

/// Changes a subscriber may be behind before it has to ask anew.
const CHANGES_KEPT: usize = 4_096;

#[derive(Debug)]
struct Watcher {
    socket: SocketId,
    link: Weak<Link>,
    /// Shares a conversation with the watched person.
    acquainted: bool,
}

#[derive(Debug)]
pub(crate) struct PresenceBoard {
    watchers: DashMap<UserId, Vec<Watcher>>,
    changes: broadcast::Sender<(UserId, bool)>,
    order: Mutex<()>,
}

impl Default for PresenceBoard {
    fn default() -> Self {
        Self { watchers: DashMap::new(), changes: broadcast::channel(CHANGES_KEPT).0, order: Mutex::default() }
    }
}

impl PresenceBoard {
    pub fn subscribe(&self) -> broadcast::Receiver<(UserId, bool)> {
        self.changes.subscribe()
    }

    pub fn watch(&self, link: &Arc<Link>, user: UserId, acquainted: bool) {
        self.watchers.entry(user).or_default().push(Watcher { socket: link.id, link: Arc::downgrade(link), acquainted });
    }

    pub fn unwatch(&self, socket: SocketId, users: &[UserId]) {
        for user in users {
            self.watchers.remove_if_mut(user, |_, watchers| {
                watchers.retain(|watcher| watcher.socket != socket);
                watchers.is_empty()
            });
        }
    }

    fn watchers_of(&self, user: UserId, role: Role) -> Vec<Arc<Link>> {
        let Some(watchers) = self.watchers.get(&user) else { return Vec::new() };
        watchers.iter().filter(|watcher| is_shown(role, watcher.acquainted)).filter_map(|watcher| watcher.link.upgrade()).collect()
    }
}

pub(crate) fn is_shown(role: Role, acquainted: bool) -> bool {
    role == Role::Doctor || acquainted
}

pub(crate) fn event(user: UserId, online: bool) -> wire::Event {
    wire::Presence { user: user.to_string(), online }.into()
}

impl Hub {
    /// `is_online` is asked inside the order of announcements, so that of a departure and an arrival at the same moment the last
    /// word is the true one. Returns it.
    pub(crate) fn presence_changed(&self, user: UserId, role: Role, is_online: impl FnOnce() -> bool) -> bool {
        let _order = self.presence.order.lock().unwrap_or_else(PoisonError::into_inner);
        let online = is_online();
        let _ = self.presence.changes.send((user, online)); // nobody listening is fine
        let links = self.presence.watchers_of(user, role);
        self.push_ephemeral(&event(user, online), EphemeralKey::Presence(user), links.iter());
        online
    }
}
