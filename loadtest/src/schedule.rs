//! The open-loop schedule of a run, computed before it starts: when each message is meant to leave, and who sends how much.
//! Latency counts from the intended moment, so a server that stalls cannot hide the messages it kept waiting.

use crate::seed::Seeded;
use sha2::{Digest, Sha256};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intended {
    /// Microseconds after the run's start.
    pub at_micros: u64,
    pub speaker: u32,
    /// Random part of the message id.
    pub nonce: [u8; 10],
    pub characters: u16,
}

#[derive(Debug)]
pub struct Schedule {
    pub sends: Vec<Intended>,
    /// Names the schedule: the same seed and options give the same text.
    pub hash: String,
}

impl Schedule {
    pub fn poisson(seed: u64, rate_per_second: f64, duration: Duration, speakers: usize) -> Self {
        let mut arrivals = Seeded::new(seed, "arrivals");
        let mut choice = Seeded::new(seed, "speakers");
        let end = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let mut sends = Vec::new();
        let mut at_micros = 0;
        loop {
            at_micros += arrivals.waiting_micros(rate_per_second);
            if at_micros >= end || speakers == 0 {
                break;
            }
            let speaker = u32::try_from(choice.below(speakers)).unwrap_or(u32::MAX);
            // Chat lines: mostly short, now and then a paragraph.
            let characters = if choice.below(20) == 0 { 200 + choice.below(600) } else { 5 + choice.below(60) };
            sends.push(Intended { at_micros, speaker, nonce: choice.bytes(), characters: characters as u16 });
        }
        let hash = Self::hash(&sends);
        Self { sends, hash }
    }

    fn hash(sends: &[Intended]) -> String {
        let mut digest = Sha256::new();
        for send in sends {
            digest.update(send.at_micros.to_le_bytes());
            digest.update(send.speaker.to_le_bytes());
            digest.update(send.nonce);
            digest.update(send.characters.to_le_bytes());
        }
        digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_schedule_and_another_seed_another() {
        let make = |seed| Schedule::poisson(seed, 1000.0, Duration::from_secs(2), 10);
        assert_eq!(make(7).sends, make(7).sends);
        assert_eq!(make(7).hash, make(7).hash);
        assert_ne!(make(7).hash, make(8).hash);
    }

    #[test]
    fn the_rate_is_kept_and_nothing_is_late() {
        let schedule = Schedule::poisson(3, 2000.0, Duration::from_secs(10), 4);
        let count = schedule.sends.len() as f64;
        assert!((count - 20_000.0).abs() < 600.0, "{count} sends for 20,000 asked");
        assert!(schedule.sends.windows(2).all(|pair| pair[0].at_micros <= pair[1].at_micros));
    }
}
