//! The sockets of this node by person. A person is here exactly while he has an authenticated socket.

use super::{Delivery, HubStats, Person, SocketId};
use crate::connection::{Class, Encoder, EphemeralKey, Link, Outgoing, Pushed};
use crate::ids::{Role, Timestamp, UserId};
use crate::limits::HubLimits;
use crate::wire;
use dashmap::DashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

#[derive(Default)]
pub(super) struct Registry {
    people: DashMap<UserId, Vec<Arc<Link>>>,
    sockets: AtomicUsize,
    emptied: Notify,
}

/// What an arrival or departure changed.
pub(super) struct Change {
    pub first_or_last: bool,
    /// The oldest socket, when there are more than allowed.
    pub surplus: Option<Arc<Link>>,
}

impl Registry {
    /// `make` gets what the person's other sockets share already, or a fresh one.
    pub fn enter(
        &self,
        user: UserId,
        role: Role,
        limits: &HubLimits,
        now: Timestamp,
        make: impl FnOnce(Arc<Person>) -> Link,
    ) -> (Arc<Link>, Change) {
        let mut links = self.people.entry(user).or_default();
        let shared = links.iter().map(|link| &link.person).find(|person| person.role == role).cloned();
        let person = shared.unwrap_or_else(|| Arc::new(Person::new(role, limits, now)));
        let link = Arc::new(make(person));
        let first_or_last = links.is_empty();
        links.push(link.clone());
        let open = links.iter().filter(|link| link.mailbox.close_order().is_none());
        let surplus = if open.clone().count() > limits.sockets_per_user_max { open.min_by_key(|link| link.id).cloned() } else { None };
        self.sockets.fetch_add(1, Ordering::Relaxed);
        (link, Change { first_or_last, surplus })
    }

    /// True when it was the person's last socket.
    pub fn leave(&self, user: UserId, socket: SocketId) -> bool {
        let mut left = false;
        let gone = self.people.remove_if_mut(&user, |_, links| {
            let before = links.len();
            links.retain(|link| link.id != socket);
            left = links.len() < before;
            links.is_empty()
        });
        if left && self.sockets.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.emptied.notify_waiters();
        }
        gone.is_some()
    }

    pub async fn emptied(&self) {
        loop {
            let notified = self.emptied.notified();
            if self.sockets.load(Ordering::SeqCst) == 0 {
                return;
            }
            notified.await;
        }
    }

    pub fn has(&self, user: UserId) -> bool {
        self.people.contains_key(&user)
    }

    pub fn users(&self) -> Vec<UserId> {
        self.people.iter().map(|person| *person.key()).collect()
    }

    /// A copy, so that nothing is done under the map's lock.
    pub fn links_of(&self, user: UserId) -> Vec<Arc<Link>> {
        self.people.get(&user).map(|links| links.clone()).unwrap_or_default()
    }

    pub fn for_each(&self, mut act: impl FnMut(&Arc<Link>)) {
        self.people.iter().for_each(|person| person.value().iter().for_each(&mut act));
    }

    pub fn push<'a>(
        &self,
        event: &wire::Event,
        delivery: Delivery,
        key: Option<EphemeralKey>,
        limits: &HubLimits,
        links: impl Iterator<Item = &'a Arc<Link>>,
    ) {
        let encoder = Encoder::new(event);
        let class = match delivery {
            Delivery::Normal => Class::Normal,
            Delivery::Ephemeral => Class::Ephemeral(key),
        };
        for link in links {
            let item = Outgoing { message: encoder.message(link.subprotocol), class };
            if link.mailbox.push(item, limits) != Pushed::Queued {
                metrics::counter!("wenzhen_events_dropped_total").increment(1);
            }
        }
    }

    pub fn stats(&self) -> HubStats {
        let mut stats = HubStats { users: self.people.len(), ..Default::default() };
        self.for_each(|link| {
            stats.sockets += 1;
            stats.lagging += usize::from(link.mailbox.is_lagging());
            stats.queued_bytes += link.mailbox.bytes();
        });
        stats
    }
}
