//! Token buckets over the injected clock: a burst, then one more in each period.

use chat::ids::Timestamp;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    period_ms: i64,
    /// What is in it, in milliseconds: a token is `period_ms` of them.
    level_ms: i64,
    level_max_ms: i64,
    at: Timestamp,
}

impl Bucket {
    pub fn full(period_ms: u32, burst: u32, now: Timestamp) -> Self {
        let period_ms = i64::from(period_ms.max(1));
        let level_max_ms = period_ms * i64::from(burst.max(1));
        Self { period_ms, level_ms: level_max_ms, level_max_ms, at: now }
    }

    /// `Err` says in how many milliseconds one more fits.
    pub fn take(&mut self, now: Timestamp) -> Result<(), u32> {
        self.level_ms = self.level_at(now);
        self.at = self.at.max(now);
        if self.level_ms >= self.period_ms {
            self.level_ms -= self.period_ms;
            return Ok(());
        }
        Err(u32::try_from(self.period_ms - self.level_ms).unwrap_or(u32::MAX))
    }

    /// Nothing would be lost by forgetting it.
    pub fn is_full(&self, now: Timestamp) -> bool {
        self.level_at(now) == self.level_max_ms
    }

    fn level_at(&self, now: Timestamp) -> i64 {
        self.level_ms.saturating_add(now.since_ms(self.at).max(0)).min(self.level_max_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let mut bucket = Bucket::full(100, 3, Timestamp(0));
        assert!((0..3).all(|_| bucket.take(Timestamp(0)).is_ok()));
        assert_eq!(bucket.take(Timestamp(0)), Err(100));
        assert_eq!(bucket.take(Timestamp(50)), Err(50));
        assert_eq!(bucket.take(Timestamp(100)), Ok(()));
        assert_eq!(bucket.take(Timestamp(40)), Err(100), "a clock that jumps back gives nothing");
        assert!(!bucket.is_full(Timestamp(399)) && bucket.is_full(Timestamp(400)));
    }
}
