//! How a worker's clock stands to the coordinator's: of several round trips the shortest says most, and half of it is the error.

/// One round trip: coordinator's moments of sending and receiving, the worker's in between.
#[derive(Clone, Copy, Debug)]
pub struct RoundTrip {
    pub sent_us: u64,
    pub worker_us: u64,
    pub received_us: u64,
}

/// What to add to a moment of the coordinator to get the worker's, give or take the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset {
    pub offset_us: i64,
    pub error_us: u64,
}

impl Offset {
    /// None without a round trip.
    pub fn estimate(trips: &[RoundTrip]) -> Option<Self> {
        let best = trips.iter().min_by_key(|trip| trip.received_us.saturating_sub(trip.sent_us))?;
        let round_trip_us = best.received_us.saturating_sub(best.sent_us);
        let middle = best.sent_us + round_trip_us / 2;
        Some(Self { offset_us: best.worker_us as i64 - middle as i64, error_us: round_trip_us.div_ceil(2) })
    }

    pub fn of_worker(&self, coordinator_us: u64) -> u64 {
        coordinator_us.saturating_add_signed(self.offset_us)
    }

    /// How far a moment aligned with `self` may be off by the time `later` was measured.
    pub fn error_until(&self, later: &Self) -> u64 {
        let drift_us = self.offset_us.abs_diff(later.offset_us).saturating_sub(later.error_us);
        self.error_us.max(drift_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_round_trip_decides() {
        let trip = |sent_us, worker_us, received_us| RoundTrip { sent_us, worker_us, received_us };
        let trips = [trip(0, 5_900, 2_000), trip(10_000, 15_040, 10_100), trip(20_000, 25_000, 29_000)];
        let offset = Offset::estimate(&trips).unwrap();
        assert_eq!(offset, Offset { offset_us: 4_990, error_us: 50 });
        assert_eq!(offset.of_worker(100_000), 104_990);
        assert_eq!(Offset::estimate(&[]), None);
        let behind = Offset::estimate(&[trip(10_000, 100, 10_000)]).unwrap();
        assert_eq!((behind.offset_us, behind.of_worker(10_500), behind.of_worker(5)), (-9_900, 600, 0));
    }

    #[test]
    fn a_clock_that_ran_away_widens_the_error() {
        let first = Offset { offset_us: 1000, error_us: 40 };
        assert_eq!(first.error_until(&Offset { offset_us: 1020, error_us: 30 }), 40);
        assert_eq!(first.error_until(&Offset { offset_us: 6000, error_us: 30 }), 4970);
    }
}
