//! A token bucket over milliseconds that somebody else reads. A clock that jumps back refills nothing and breaks nothing.

use crate::ids::Timestamp;

#[derive(Clone, Debug)]
pub(crate) struct TokenBucket {
    per_s: u32,
    burst: u32,
    /// Thousandths of a token, so that a millisecond at one token a second counts.
    milli: u64,
    at: Timestamp,
}

impl TokenBucket {
    pub fn full(per_s: u32, burst: u32, now: Timestamp) -> Self {
        Self { per_s, burst, milli: u64::from(burst) * 1_000, at: now }
    }

    /// Takes `tokens` or says after how many milliseconds they are there. More than the burst never are; the answer is then a lie
    /// that slows the caller down.
    pub fn take(&mut self, tokens: u32, now: Timestamp) -> Result<(), u32> {
        self.refill(now);
        let wanted = u64::from(tokens) * 1_000;
        if self.milli >= wanted {
            self.milli -= wanted;
            return Ok(());
        }
        let missing = wanted - self.milli;
        Err(u32::try_from(missing.div_ceil(u64::from(self.per_s.max(1)))).unwrap_or(u32::MAX))
    }

    fn refill(&mut self, now: Timestamp) {
        let elapsed_ms = u64::try_from(now.since_ms(self.at)).unwrap_or(0);
        self.at = now;
        let gained = elapsed_ms.saturating_mul(u64::from(self.per_s));
        self.milli = self.milli.saturating_add(gained).min(u64::from(self.burst) * 1_000);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let start = Timestamp(1_000);
        let mut bucket = TokenBucket::full(2, 3, start);
        assert_eq!((0..4).map(|_| bucket.take(1, start)).collect::<Vec<_>>(), [Ok(()), Ok(()), Ok(()), Err(500)]);
        assert_eq!(bucket.take(1, start.plus_ms(499)), Err(1));
        assert_eq!(bucket.take(1, start.plus_ms(500)), Ok(()));
        assert_eq!(bucket.take(4, start.plus_ms(1_000_000)), Err(500), "never more than the burst");
    }

    #[test]
    fn a_clock_that_jumps_back_gives_nothing() {
        let mut bucket = TokenBucket::full(1, 1, Timestamp(10_000));
        assert_eq!(bucket.take(1, Timestamp(10_000)), Ok(()));
        assert_eq!(bucket.take(1, Timestamp(0)), Err(1_000));
        assert_eq!(bucket.take(1, Timestamp(1_000)), Ok(()));
    }
}
