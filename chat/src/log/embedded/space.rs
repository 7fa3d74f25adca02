//! The free-space watermark. Asked before a batch, so that refusing happens while there is still room to flush, compact and close.

use crate::ids::Timestamp;
use std::path::PathBuf;

const RECHECK_MS: i64 = 250;
const RECHECK_BYTES: usize = 8 << 20;

pub struct Space {
    dir: PathBuf,
    free_bytes_min: u64,
    checked_at: Option<Timestamp>,
    written: usize,
    low: bool,
}

impl Space {
    pub fn new(dir: PathBuf, free_bytes_min: u64) -> Self {
        Self { dir, free_bytes_min, checked_at: None, written: 0, low: false }
    }

    pub fn wrote(&mut self, bytes: usize) {
        self.written += bytes;
    }

    /// A file system that cannot be asked counts as it did before: its own errors poison soon enough.
    pub fn is_low(&mut self, now: Timestamp) -> bool {
        let fresh = self.checked_at.is_some_and(|at| (0..RECHECK_MS).contains(&now.since_ms(at))) && self.written < RECHECK_BYTES;
        // While refusing, always ask again: the answer is a refusal anyway, and freed space should count at once.
        if self.free_bytes_min > 0 && (!fresh || self.low) {
            match fs4::available_space(&self.dir) {
                Ok(free) => self.low = free < self.free_bytes_min,
                Err(error) => tracing::warn!(error = ?error, "log.free_space_unknown"),
            }
            (self.checked_at, self.written) = (Some(now), 0);
        }
        self.low
    }
}
