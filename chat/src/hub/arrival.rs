//! Coming and going: tokens, the door, the first and the last socket of a person.

use super::{Hub, SocketId};
use crate::connection::{Greeting, Link, NotAdmitted, Visitor};
use crate::errors::{CloseCode, Code};
use crate::ids::UserId;
use crate::presence::is_shown;
use crate::token::AccessClaims;
use crate::wire::codec::{RECORD_BYTES_MAX, Subprotocol};
use crate::wire::{Command, Welcome};
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A socket that is in the registry as long as this value lives, also when its task panics.
pub(crate) struct Entered {
    pub link: Arc<Link>,
    hub: Arc<Hub>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.hub.leave(&self.link);
    }
}

impl Hub {
    pub(crate) fn tick(&self) -> u32 {
        self.tick.load(Ordering::Relaxed)
    }

    /// Authentic, not expired, not revoked.
    pub(crate) fn authenticate(&self, token: &str) -> Result<AccessClaims, Code> {
        let claims = self.tokens.verify(token, self.clock.now()).map_err(|error| error.code())?;
        if self.revocations.hits(&claims) { Err(Code::SessionRevoked) } else { Ok(claims) }
    }

    pub(crate) fn admit(&self, peer: IpAddr) -> Result<Visitor, NotAdmitted> {
        if self.is_draining() {
            return Err(NotAdmitted::Storm(1_000));
        }
        self.admission.admit(peer, self.clock.now())
    }

    pub(crate) fn enter(self: &Arc<Self>, greeting: Greeting, subprotocol: Subprotocol) -> (Entered, VecDeque<Command>) {
        let Greeting { claims, device, waiting } = greeting;
        let id = SocketId(self.next_socket.fetch_add(1, Ordering::Relaxed));
        let make = |person| {
            let link = Link::new(id, &claims, device, subprotocol, person, self.tick());
            // Before anybody can find the link, so that nothing comes before it.
            link.reply(self, &self.welcome(&claims).into());
            link
        };
        let (link, change) = self.registry.enter(claims.user, claims.role, &self.limits, self.clock.now(), make);
        if let Some(oldest) = change.surplus {
            oldest.close(CloseCode::Replaced);
        }
        if change.first_or_last {
            self.presence_moved(&link);
        }
        // A revocation or a drain between the check and the registry found nobody to close.
        if self.revocations.hits(&claims) {
            link.close(CloseCode::Revoked);
        } else if self.is_draining() {
            link.close(CloseCode::Drain);
        }
        (Entered { link, hub: self.clone() }, waiting)
    }

    fn leave(&self, link: &Link) {
        self.presence.unwatch(link.id, &link.replace_watched(Vec::new()));
        if self.registry.leave(link.user, link.id) {
            self.presence_moved(link);
        }
    }

    fn presence_moved(&self, link: &Link) {
        let online = self.presence_changed(link.user, link.person.role, || self.registry.has(link.user));
        self.fanout.presence(link.user, online);
    }

    /// What a watcher is told: of strangers who are not doctors, nothing.
    pub(crate) fn is_shown_online(&self, user: UserId, acquainted: bool) -> bool {
        let role = self.registry.links_of(user).first().map(|link| link.person.role);
        match role {
            Some(role) => is_shown(role, acquainted),
            None => self.fanout.is_online_elsewhere(user),
        }
    }

    fn welcome(&self, claims: &AccessClaims) -> Welcome {
        Welcome {
            user: claims.user.to_string(),
            session: claims.session.to_string(),
            node: self.node.to_string(),
            server_time_ms: self.clock.now().0,
            heartbeat_ms: self.limits.heartbeat_ms,
            record_bytes_max: u32::try_from(RECORD_BYTES_MAX).unwrap_or(u32::MAX),
            token_expires_at_ms: claims.expires_at.0,
        }
    }
}
