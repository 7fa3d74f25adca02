//! The open-loop schedule of one part: when each event is meant to happen, and whose it is. Made from the seed before the run
//! starts, so that a server that stalls cannot hide the events it kept waiting.

use crate::plan::{Arrivals, Part};
use crate::seed::Seeded;
use sha2::{Digest, Sha256};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intended {
    /// Microseconds after the run's start.
    pub at_micros: u64,
    /// Index among the part's actors.
    pub actor: u32,
    /// What else this event draws from.
    pub nonce: u64,
}

/// Drawn lazily, so that an hour at a high rate takes no memory; the same seed draws the same.
#[derive(Debug)]
pub struct Schedule {
    part: Part,
    arrivals: Seeded,
    choice: Seeded,
    actors: usize,
    at_micros: f64,
}

impl Schedule {
    /// `label` keeps the parts of a run apart.
    pub fn new(seed: u64, label: &str, part: &Part, actors: usize) -> Self {
        let stream = |purpose: &str| Seeded::new(seed, &format!("{label} {purpose}"));
        Self { part: part.clone(), arrivals: stream("arrivals"), choice: stream("choice"), actors, at_micros: 0.0 }
    }

    /// Names the schedule: the same seed and plan give the same text.
    pub fn hash(self) -> [u8; 32] {
        let mut digest = Sha256::new();
        for event in self {
            digest.update(event.at_micros.to_le_bytes());
            digest.update(event.actor.to_le_bytes());
            digest.update(event.nonce.to_le_bytes());
        }
        digest.finalize().into()
    }

    /// The next moment of the rate's straight lines. Poisson by thinning: exact for any of them.
    fn next_moment(&mut self) -> Option<u64> {
        let stages = &self.part.stages;
        let (end, highest) = (stages.length().micros() as f64, stages.highest());
        if highest <= 0.0 {
            return None;
        }
        while self.at_micros < end {
            if self.part.arrivals == Arrivals::Uniform {
                let rate = stages.rate_at(self.at_micros as u64);
                // Where nothing is meant to come, look again a little later.
                self.at_micros += if rate > 0.0 { (1e6 / rate).min(1e6) } else { 10_000.0 };
                if rate > 0.0 {
                    break;
                }
            } else {
                self.at_micros += self.arrivals.waiting_micros(highest);
                if self.arrivals.unit() * highest < stages.rate_at(self.at_micros as u64) {
                    break;
                }
            }
        }
        (self.at_micros < end).then_some(self.at_micros as u64)
    }
}

impl Iterator for Schedule {
    type Item = Intended;

    fn next(&mut self) -> Option<Intended> {
        if self.actors == 0 || self.part.arrivals == Arrivals::Closed {
            return None;
        }
        let at_micros = self.next_moment()?;
        let actor = u32::try_from(self.choice.below(self.actors)).unwrap_or(u32::MAX);
        Some(Intended { at_micros, actor, nonce: self.choice.next_u64() })
    }
}

/// Shown beside the seed: 16 hexadecimal digits over all parts.
pub fn hash_text(parts: impl Iterator<Item = [u8; 32]>) -> String {
    let digest = parts.fold(Sha256::new(), |digest, part| digest.chain_update(part)).finalize();
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Stages;
    use crate::scenario::Name;

    fn part(stages: &str, arrivals: Arrivals) -> Part {
        let stages: Stages = stages.parse().expect("well formed");
        Part { scenario: Name::Text, users: 10, arrivals, stages, options: serde_json::Map::new() }
    }

    #[test]
    fn the_same_seed_gives_the_same_schedule_and_another_seed_another() {
        let make = |seed| Schedule::new(seed, "0 text", &part("0:1000,2s:1000", Arrivals::Poisson), 10);
        assert_eq!(make(7).collect::<Vec<_>>(), make(7).collect::<Vec<_>>());
        assert_eq!(make(7).hash(), make(7).hash());
        assert_ne!(make(7).hash(), make(8).hash());
    }

    #[test]
    fn the_rate_is_kept_also_on_slopes_and_nothing_comes_before_its_time() {
        for arrivals in [Arrivals::Poisson, Arrivals::Uniform] {
            let events: Vec<_> = Schedule::new(3, "0 text", &part("0:0,10s:2000,10s:2000", arrivals), 4).collect();
            assert!((events.len() as f64 - 30_000.0).abs() < 800.0, "{} events for 30,000 asked, {arrivals:?}", events.len());
            let early = events.iter().filter(|event| event.at_micros < 5_000_000).count() as f64;
            assert!((early - 2_500.0).abs() < 300.0, "{early} in the first quarter of the slope, {arrivals:?}");
            assert!(events.windows(2).all(|pair| pair[0].at_micros <= pair[1].at_micros));
        }
    }
}
