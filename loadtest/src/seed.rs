//! Everything random of a run comes from its seed: the schedule, who speaks, what he says, the message ids' random part.

use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};

#[derive(Debug)]
pub struct Seeded(StdRng);

impl Seeded {
    /// An independent stream per purpose, so that adding one does not move the others.
    pub fn new(seed: u64, purpose: &str) -> Self {
        use sha2::{Digest, Sha256};
        let digest = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(purpose).finalize();
        Self(StdRng::from_seed(digest.into()))
    }

    /// Exponential waiting time of a Poisson process, in microseconds.
    pub fn waiting_micros(&mut self, rate_per_second: f64) -> f64 {
        let uniform: f64 = self.0.random_range(f64::MIN_POSITIVE..1.0);
        -uniform.ln() / rate_per_second * 1e6
    }

    /// Even between 0 and 1.
    pub fn unit(&mut self) -> f64 {
        self.0.random_range(0.0..1.0)
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0.random_range(0..bound)
    }

    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    pub fn uuid(&mut self) -> uuid::Uuid {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid()
    }
}
