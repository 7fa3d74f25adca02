//! Connected time. Only the time in which both sides had media counts; reconnecting does not (DOMAIN D.1).

use chat::ids::Timestamp;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    counted_ms: i64,
    since: Option<Timestamp>,
    gaps: u32,
}

impl Meter {
    /// After a restart of the server: what was connected before is not known and not claimed, but the gap is.
    pub fn after_restart() -> Self {
        Self { gaps: 1, ..Self::default() }
    }

    pub fn connect(&mut self, now: Timestamp) {
        self.since.get_or_insert(now);
    }

    pub fn interrupt(&mut self, now: Timestamp) {
        if self.since.is_some() {
            self.stop(now);
            self.gaps = self.gaps.saturating_add(1);
        }
    }

    pub fn stop(&mut self, now: Timestamp) {
        if let Some(since) = self.since.take() {
            self.counted_ms = self.counted_ms.saturating_add(now.since_ms(since).max(0));
        }
    }

    pub fn connected_ms(&self, now: Timestamp) -> u32 {
        let mut total = *self;
        total.stop(now);
        u32::try_from(total.counted_ms).unwrap_or(u32::MAX)
    }

    pub fn gaps(&self) -> u32 {
        self.gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_connected_time_counts_and_each_break_is_a_gap() {
        let mut meter = Meter::default();
        meter.interrupt(Timestamp(5)); // never connected: no gap
        meter.connect(Timestamp(10));
        meter.connect(Timestamp(20)); // already counting
        meter.interrupt(Timestamp(110));
        meter.connect(Timestamp(500));
        assert_eq!(meter.connected_ms(Timestamp(600)), 200);
        meter.stop(Timestamp(400)); // a clock that jumped back takes nothing away
        assert_eq!((meter.connected_ms(Timestamp(9_999)), meter.gaps()), (100, 1));
    }
}
