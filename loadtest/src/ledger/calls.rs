//! Checks calls: every ring has a caller and ends in time, and a conversation has one call at most.
//!
//! It is told what both sides said and heard, in the order of one clock, and asks nobody. A ring that nobody alive caused, or that goes
//! on after its call is over or its deadline has passed, is a ghost call (K1, K2).

use std::collections::HashMap;

/// How much later than the deadline the end of a ring may be heard.
pub const END_GRACE_MICROS: u64 = 5_000_000;

#[derive(Debug, Default)]
pub struct Calls {
    calls: HashMap<String, Call>,
    /// The call that has started in a conversation and is not over.
    active: HashMap<String, String>,
    overlapping: u64,
    /// Rings heard for calls that were over already: they have no call left to be counted with.
    late_rings: u64,
}

#[derive(Debug)]
struct Call {
    conversation: String,
    invited: bool,
    /// The invitation was refused, or the caller took it back, or either side ended it: nothing may ring any more.
    over_at: Option<u64>,
    ring: Option<Ring>,
}

#[derive(Debug)]
struct Ring {
    deadline_micros: u64,
    /// The callee heard that it stopped: answered, elsewhere, over.
    stopped_at: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub rings: u64,
    /// Rang without a live caller, or rang on after the end.
    pub ghosts: u64,
    /// A second call had started in a conversation while one was going on.
    pub overlapping: u64,
}

impl Found {
    /// What the report calls `ghost_calls`.
    pub fn violations(&self) -> u64 {
        self.ghosts + self.overlapping
    }
}

impl Calls {
    /// The caller sends his invitation.
    pub fn invited(&mut self, call: &str, conversation: &str) {
        self.call(call, conversation).invited = true;
    }

    /// A callee's device is told to ring.
    pub fn rings(&mut self, call: &str, conversation: &str, now_micros: u64, deadline_micros: u64) {
        let call = self.call(call, conversation);
        if call.over_at.is_some_and(|over| over < now_micros) {
            self.late_rings += 1;
        } else if call.ring.is_none() {
            call.ring = Some(Ring { deadline_micros, stopped_at: None });
        }
    }

    /// The callee's side need not ring any more: it answered, another device did, or it heard the end.
    pub fn stopped(&mut self, call: &str, now_micros: u64) {
        if let Some(ring) = self.calls.get_mut(call).and_then(|call| call.ring.as_mut()) {
            ring.stopped_at.get_or_insert(now_micros);
        }
    }

    /// The call started between the two. Told once a side: the second time changes nothing.
    pub fn started(&mut self, call: &str, conversation: &str) {
        match self.active.get(conversation) {
            Some(other) if other != call => self.overlapping += 1,
            _ => {}
        }
        self.active.insert(conversation.to_owned(), call.to_owned());
    }

    /// The caller heard an end, was refused, took his invitation back, or is gone for good.
    pub fn over(&mut self, call: &str, now_micros: u64) {
        let Some(known) = self.calls.get_mut(call) else { return };
        known.over_at.get_or_insert(now_micros);
        if self.active.get(&known.conversation).is_some_and(|active| active == call) {
            self.active.remove(&known.conversation);
        }
    }

    /// `now_micros`: when listening ended. A ring whose time was not up by then is nobody's fault.
    pub fn settle(&self, now_micros: u64) -> Found {
        let mut found = Found { rings: self.late_rings, ghosts: self.late_rings, overlapping: self.overlapping };
        for call in self.calls.values() {
            let Some(ring) = &call.ring else { continue };
            found.rings += 1;
            // Whatever comes first: the call's end as the caller knows it, or the deadline.
            let must_stop_by = call.over_at.unwrap_or(u64::MAX).min(ring.deadline_micros).saturating_add(END_GRACE_MICROS);
            let rings_on = ring.stopped_at.unwrap_or(now_micros) > must_stop_by;
            if !call.invited || rings_on {
                found.ghosts += 1;
            }
        }
        found
    }

    fn call(&mut self, call: &str, conversation: &str) -> &mut Call {
        self.calls.entry(call.to_owned()).or_insert_with(|| Call {
            conversation: conversation.to_owned(),
            invited: false,
            over_at: None,
            ring: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;
    const DEADLINE: u64 = 30 * SECOND;

    fn ringing() -> Calls {
        let mut calls = Calls::default();
        calls.invited("a", "home");
        calls.rings("a", "home", SECOND, DEADLINE);
        calls
    }

    #[test]
    fn a_call_from_ring_to_end_is_clean() {
        let mut calls = ringing();
        calls.rings("a", "home", SECOND, DEADLINE);
        calls.started("a", "home");
        calls.stopped("a", 2 * SECOND);
        calls.started("a", "home");
        calls.over("a", 9 * SECOND);
        calls.invited("b", "home");
        calls.started("b", "home");
        assert_eq!(calls.settle(100 * SECOND), Found { rings: 1, ..Found::default() });
    }

    #[test]
    fn a_ring_that_nobody_caused_is_a_ghost() {
        let mut calls = ringing();
        calls.rings("nobody", "home", SECOND, DEADLINE);
        calls.stopped("nobody", 2 * SECOND);
        calls.stopped("a", 2 * SECOND);
        assert_eq!(calls.settle(3 * SECOND), Found { rings: 2, ghosts: 1, overlapping: 0 });
    }

    #[test]
    fn a_ring_ends_with_its_caller_or_at_its_deadline() {
        let mut calls = ringing();
        calls.over("a", 2 * SECOND);
        assert_eq!(calls.settle(3 * SECOND).ghosts, 0, "the end may be on its way");
        assert_eq!(calls.settle(8 * SECOND).ghosts, 1, "the caller is gone and it rings on");
        calls.stopped("a", 2 * SECOND);
        assert_eq!(calls.settle(8 * SECOND).ghosts, 0);

        let mut calls = ringing();
        assert_eq!(calls.settle(20 * SECOND).ghosts, 0, "its time is not up");
        assert_eq!(calls.settle(40 * SECOND).ghosts, 1);
        calls.stopped("a", DEADLINE);
        assert_eq!(calls.settle(40 * SECOND).ghosts, 0);
    }

    #[test]
    fn what_is_over_does_not_ring_again() {
        let mut calls = ringing();
        calls.stopped("a", 2 * SECOND);
        calls.over("a", 2 * SECOND);
        calls.rings("a", "home", 3 * SECOND, DEADLINE);
        assert_eq!(calls.settle(4 * SECOND).ghosts, 1);
    }

    #[test]
    fn one_call_at_a_time() {
        let mut calls = ringing();
        calls.started("a", "home");
        calls.stopped("a", 2 * SECOND);
        calls.invited("b", "home");
        calls.started("b", "home");
        assert_eq!(calls.settle(3 * SECOND).overlapping, 1);
        calls.started("c", "elsewhere");
        assert_eq!(calls.settle(3 * SECOND).violations(), 1);
    }
}
