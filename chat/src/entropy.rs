//! The only place in this crate that draws randomness: ids, keys, nonces, jitter.
//! A seeded source gives the same ids and jitter again; keys in production always come from the operating system.

use crate::ids::Timestamp;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

#[derive(Clone, Debug)]
pub enum Entropy {
    System,
    Seeded(Arc<Mutex<StdRng>>),
}

impl Entropy {
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    pub fn fill(&self, buffer: &mut [u8]) {
        match self {
            Self::System => getrandom::fill(buffer).expect("the operating system has randomness; without it nothing may be sealed"),
            Self::Seeded(rng) => rng.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).fill_bytes(buffer),
        }
    }

    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut buffer = [0; N];
        self.fill(&mut buffer);
        buffer
    }

    /// Uniform in `0..=max`.
    pub fn up_to(&self, max: u64) -> u64 {
        match self {
            Self::System => rand::rng().random_range(0..=max),
            Self::Seeded(rng) => rng.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).random_range(0..=max),
        }
    }

    /// UUIDv7 (RFC 9562) of that moment.
    pub fn uuid(&self, at: Timestamp) -> Uuid {
        let millis = u64::try_from(at.0).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid()
    }

    pub fn id<T: From<Uuid>>(&self, at: Timestamp) -> T {
        T::from(self.uuid(at))
    }
}
