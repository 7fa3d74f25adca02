//! What all sockets of one person share: his role and the rates he may use.

use crate::ids::{Role, Timestamp};
use crate::limits::{HubLimits, TokenBucket};
use std::sync::{Mutex, MutexGuard};

#[derive(Debug)]
pub(crate) struct Person {
    pub role: Role,
    rates: Mutex<Box<Rates>>,
}

#[derive(Debug)]
struct Rates {
    commands: TokenBucket,
    sends: TokenBucket,
    bytes: TokenBucket,
    refusals: TokenBucket,
}

/// Refused; the field says when to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exceeded {
    RetryAfterMs(u32),
    /// Refused so often that the socket has to go.
    Abuse,
}

impl Person {
    pub fn new(role: Role, limits: &HubLimits, now: Timestamp) -> Self {
        let rates = Rates {
            commands: TokenBucket::full(limits.commands_per_s, limits.commands_burst, now),
            sends: TokenBucket::full(limits.sends_per_s, limits.sends_burst, now),
            bytes: TokenBucket::full(limits.bytes_per_s, limits.bytes_burst, now),
            refusals: TokenBucket::full(limits.refusals_per_s, limits.refusals_burst, now),
        };
        Self { role, rates: Mutex::new(Box::new(rates)) }
    }

    pub fn take_bytes(&self, bytes: usize, now: Timestamp) -> Result<(), Exceeded> {
        let mut rates = self.rates();
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let taken = rates.bytes.take(bytes, now);
        rates.judge(taken, now)
    }

    pub fn take_command(&self, is_send: bool, now: Timestamp) -> Result<(), Exceeded> {
        let mut rates = self.rates();
        let mut taken = rates.commands.take(1, now);
        if taken.is_ok() && is_send {
            taken = rates.sends.take(1, now);
        }
        rates.judge(taken, now)
    }

    fn rates(&self) -> MutexGuard<'_, Box<Rates>> {
        self.rates.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Rates {
    fn judge(&mut self, taken: Result<(), u32>, now: Timestamp) -> Result<(), Exceeded> {
        taken.map_err(|retry_after_ms| match self.refusals.take(1, now) {
            Ok(()) => Exceeded::RetryAfterMs(retry_after_ms),
            Err(_) => Exceeded::Abuse,
        })
    }
}
