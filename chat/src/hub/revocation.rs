//! Tokens that are authentic and not expired, and still no longer good. Kept as long as such a token could live.

use crate::ids::{SessionId, Timestamp, UserId};
use crate::token::{AccessClaims, TOKEN_LIFE_MS_MAX};
use dashmap::DashMap;

#[derive(Default)]
pub(super) struct Revocations {
    sessions: DashMap<SessionId, Timestamp>,
    users: DashMap<UserId, Timestamp>,
}

impl Revocations {
    pub fn revoke_session(&self, session: SessionId, now: Timestamp) {
        self.sessions.insert(session, now);
    }

    pub fn revoke_user(&self, user: UserId, now: Timestamp) {
        self.users.insert(user, now);
    }

    /// A revoked session stays revoked; of a person, what was issued up to that moment.
    pub fn hits(&self, claims: &AccessClaims) -> bool {
        self.sessions.contains_key(&claims.session) || self.users.get(&claims.user).is_some_and(|at| claims.issued_at <= *at)
    }

    /// Twice the life of a token, so that no disagreement about the time brings one back.
    pub fn forget_old(&self, now: Timestamp) {
        self.sessions.retain(|_, at| now.since_ms(*at) < 2 * TOKEN_LIFE_MS_MAX);
        self.users.retain(|_, at| now.since_ms(*at) < 2 * TOKEN_LIFE_MS_MAX);
    }
}
