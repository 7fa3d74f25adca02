//! The only place that reads a clock or waits for a moment. One monotonic origin for the whole run, so that every stamp compares.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// Microseconds since the origin.
    pub fn micros(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    pub fn at(&self, micros: u64) -> tokio::time::Instant {
        tokio::time::Instant::from_std(self.origin + Duration::from_micros(micros))
    }

    /// Blocks this thread until then: the kernel's timer is finer than the runtime's millisecond.
    pub fn block_until(&self, micros: u64) {
        if let Some(left) = micros.checked_sub(self.micros()).filter(|left| *left > 0) {
            std::thread::sleep(Duration::from_micros(left));
        }
    }
}

/// Milliseconds since 1970, for message ids and the lives of tokens.
pub fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The moment of a run as RFC 3339, UTC.
pub fn rfc3339_of_run(clock: &Clock, micros: u64) -> String {
    let ago = Duration::from_micros(clock.micros().saturating_sub(micros));
    let moment = time::OffsetDateTime::from(SystemTime::now() - ago);
    moment.format(&time::format_description::well_known::Rfc3339).unwrap_or_default()
}
