//! Committed entries and news of a conversation, to the sockets of those who may have them.

use super::{Delivery, Hub};
use crate::connection::{Class, Encoder, EntryMark, EphemeralKey, Link, Outgoing, Pushed, View, placeholder};
use crate::ids::UserId;
use crate::log::Committed;
use crate::log::head::Head;
use crate::wire;
use std::collections::HashSet;
use std::sync::Arc;

impl Hub {
    /// Each member gets what his visibility gives him: the entry, a placeholder, or, after he left, nothing.
    pub fn deliver(&self, committed: &Committed) {
        metrics::counter!("wenzhen_entries_total").increment(committed.entries.len() as u64);
        let audience = self.audience(&committed.head);
        if audience.is_empty() {
            return;
        }
        for entry in &committed.entries {
            let mark = EntryMark::of(committed.head.conversation, entry);
            let urgent = entry.urgent;
            let whole = wire::Event::from(wire::Entry::clone(entry));
            let withheld = wire::Event::from(placeholder(entry));
            let (whole, withheld) = (Encoder::new(&whole), Encoder::new(&withheld));
            for (view, links) in &audience {
                let event = match (view.sees(entry.seq), entry.seq <= view.newest()) {
                    (true, _) => &whole,
                    (false, true) => &withheld,
                    (false, false) => continue,
                };
                for link in links {
                    self.push_entry(link, event, mark, urgent);
                }
            }
        }
    }

    /// Marks, typing: to the sockets of all who are members now.
    pub(crate) fn tell_members(&self, head: &Head, event: &wire::Event, key: EphemeralKey, except: Option<UserId>) {
        for user in current_members(head).filter(|user| Some(*user) != except) {
            self.fanout.relay(user, None, event, Delivery::Ephemeral);
            self.push_ephemeral(event, key, self.registry.links_of(user).iter());
        }
    }

    fn audience(&self, head: &Head) -> Vec<(View, Vec<Arc<Link>>)> {
        let users: HashSet<UserId> = head.members.iter().map(|member| member.user).collect();
        let connected = users.into_iter().map(|user| (user, self.registry.links_of(user))).filter(|(_, links)| !links.is_empty());
        connected.filter_map(|(user, links)| Some((View::of(head, user)?, links))).collect()
    }

    fn push_entry(&self, link: &Link, event: &Encoder<'_>, mark: EntryMark, urgent: bool) {
        let item = Outgoing { message: event.message(link.subprotocol), class: Class::Entry { mark, urgent } };
        match link.mailbox.push(item, &self.limits) {
            Pushed::Queued => {}
            Pushed::Dropped => metrics::counter!("wenzhen_entries_dropped_total").increment(1),
            Pushed::LagBegan => {
                metrics::counter!("wenzhen_entries_dropped_total").increment(1);
                metrics::counter!("wenzhen_lags_total").increment(1);
            }
        }
    }
}

fn current_members(head: &Head) -> impl Iterator<Item = UserId> {
    head.members.iter().filter(|member| member.left_at.is_none()).map(|member| member.user)
}
