//! One line per person: who is in a call, across conversations. A compare-and-set with an expiry, so that a lost release heals.
//!
//! An inviter holds his line from the invitation on, a callee from his answer on. Owns no truth about calls: that is the log's.

use chat::ids::{CallId, Timestamp, UserId};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

/// Whose line is held by another call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busy {
    Inviter,
    Callee,
}

/// The seam: a variant that several nodes share comes beside `Local`. Every method is atomic.
#[derive(Debug)]
pub enum Lines {
    Local(LocalLines),
}

impl Default for Lines {
    fn default() -> Self {
        Self::Local(LocalLines::default())
    }
}

impl Lines {
    /// Takes the inviter's line if both lines are free; so of two people who invite each other at once one gets through.
    pub fn begin(&self, now: Timestamp, call: CallId, inviter: UserId, callee: UserId, until: Timestamp) -> Result<(), Busy> {
        let Self::Local(lines) = self;
        let mut held = lines.held();
        let taken = |user| held.get(&user).is_some_and(|line| line.call != call && line.expires_at > now);
        if taken(inviter) {
            return Err(Busy::Inviter);
        }
        if taken(callee) {
            return Err(Busy::Callee);
        }
        held.insert(inviter, Line { call, expires_at: until });
        Ok(())
    }

    /// False when another call holds the line. Taking it again for the same call moves the expiry.
    pub fn take(&self, now: Timestamp, user: UserId, call: CallId, until: Timestamp) -> bool {
        let Self::Local(lines) = self;
        let mut held = lines.held();
        if held.get(&user).is_some_and(|line| line.call != call && line.expires_at > now) {
            return false;
        }
        held.insert(user, Line { call, expires_at: until });
        true
    }

    /// Does nothing when another call holds the line.
    pub fn release(&self, user: UserId, call: CallId) {
        let Self::Local(lines) = self;
        let mut held = lines.held();
        if held.get(&user).is_some_and(|line| line.call == call) {
            held.remove(&user);
        }
    }

    pub fn holder(&self, now: Timestamp, user: UserId) -> Option<CallId> {
        let Self::Local(lines) = self;
        lines.held().get(&user).filter(|line| line.expires_at > now).map(|line| line.call)
    }

    /// Forgets what has expired.
    pub fn sweep(&self, now: Timestamp) {
        let Self::Local(lines) = self;
        lines.held().retain(|_, line| line.expires_at > now);
    }
}

#[derive(Debug, Default)]
pub struct LocalLines(Mutex<HashMap<UserId, Line>>);

#[derive(Clone, Copy, Debug)]
struct Line {
    call: CallId,
    expires_at: Timestamp,
}

impl LocalLines {
    fn held(&self) -> MutexGuard<'_, HashMap<UserId, Line>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat::entropy::Entropy;

    fn ids() -> (UserId, UserId, CallId, CallId) {
        let entropy = Entropy::seeded(7);
        let at = Timestamp(1);
        (entropy.id(at), entropy.id(at), entropy.id(at), entropy.id(at))
    }

    #[test]
    fn of_two_people_who_invite_each_other_one_gets_through() {
        let lines = Lines::default();
        let (anna, bo, first, second) = ids();
        assert_eq!(lines.begin(Timestamp(0), first, anna, bo, Timestamp(30)), Ok(()));
        assert_eq!(lines.begin(Timestamp(0), second, bo, anna, Timestamp(30)), Err(Busy::Callee));
        assert_eq!(lines.begin(Timestamp(0), second, anna, bo, Timestamp(30)), Err(Busy::Inviter));
    }

    #[test]
    fn a_line_is_released_only_by_its_call_and_heals_by_expiry() {
        let lines = Lines::default();
        let (anna, _, first, second) = ids();
        assert!(lines.take(Timestamp(0), anna, first, Timestamp(30)));
        assert!(!lines.take(Timestamp(1), anna, second, Timestamp(31)));
        lines.release(anna, second);
        assert_eq!(lines.holder(Timestamp(1), anna), Some(first));
        assert!(lines.take(Timestamp(30), anna, second, Timestamp(60)), "an expired line is free");
        lines.sweep(Timestamp(60));
        assert_eq!(lines.holder(Timestamp(0), anna), None);
    }
}
