//! `slow`: some read at a crawl, some never, some are half-open: they neither read nor write, and their connection stays.
//!
//! The others' latency is what is measured. A slow one is told that he lags, or is closed because he takes nothing; when he reads again
//! he has everything. His partner feeds him, because a quiet conversation fills no buffer.

use super::stress::{self, Company, Odd, share_of};
use super::text::talk;
use crate::plan::Span;
use crate::run::{Part, RunError};
use crate::talk::{Do, Told, read_all};
use serde::Deserialize;

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Parts of the people, 0 to 1: those who read slowly, ...
    pub reads_share: f64,
    /// ... at this speed, ...
    pub reads_bytes_per_s: u64,
    /// ... those who never read but speak, ...
    pub never_share: f64,
    /// ... and those whose connection is half-open.
    pub half_open_share: f64,
    /// Lines a second to each of them.
    pub lines_per_s: f64,
    /// When they become slow, after the warm-up; a third of the measured time when left out.
    pub from: Option<Span>,
    /// Expectation: every one of them has lagged or lost his socket by the end. Off where the run is too short for that.
    pub all_end: bool,
    /// Expectation: the others' 99th percentiles grow by no more than this factor; 0 asks for nothing.
    pub others_slower_max: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            reads_share: 0.05,
            reads_bytes_per_s: 1024,
            never_share: 0.01,
            half_open_share: 0.01,
            lines_per_s: 40.0,
            from: None,
            all_end: true,
            others_slower_max: 0.0,
        }
    }
}

/// The kernel of a server that waits for a closed window to open looks again only every so often.
const HEARS_AGAIN_MICROS: u64 = 60_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Crawls,
    NeverReads,
    HalfOpen,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Crawls, Self::NeverReads, Self::HalfOpen];

    fn name(self) -> &'static str {
        match self {
            Self::Crawls => "crawling",
            Self::NeverReads => "never reading",
            Self::HalfOpen => "half-open",
        }
    }
}

/// How many of each kind among so many people, and in which order they sit.
fn kinds(people: usize, options: &Options) -> Vec<Kind> {
    let shares = [options.reads_share, options.never_share, options.half_open_share];
    let mut kinds: Vec<Kind> = Kind::ALL.iter().zip(shares).flat_map(|(kind, share)| vec![*kind; share_of(people, share)]).collect();
    // Each needs a partner, and somebody has to be left whose latency is measured.
    kinds.truncate((people / 2).saturating_sub(1));
    kinds
}

pub async fn run(part: Part) -> Result<(), RunError> {
    let options: Options = part.options()?;
    let kinds = kinds(part.people.len(), &options);
    let mut company = Company::seat(&part, kinds.len(), "slow").await;
    part.begin().await;
    let slow = kinds.iter().copied().zip(std::mem::take(&mut company.odd)).collect();
    let stressing = tokio::spawn(stress(part.clone(), options, slow));
    talk(&part, &company.talkers).await;
    company.odd = stressing.await.map_err(|error| RunError::Infrastructure(format!("slow: {error}")))?;
    stress::compare(&part, options.others_slower_max);
    part.done().await;
    let (seats, tasks) = company.all_seats();
    read_all(seats, tasks).await;
    Ok(())
}

/// Makes them slow at their moment, feeds them until the end, and then lets them read again.
async fn stress(part: Part, options: Options, mut slow: Vec<(Kind, Odd)>) -> Vec<Odd> {
    let from_micros = stress::begins_at(&part, options.from);
    stress::begin(&part, from_micros, &format!("{} become slow", slow.len())).await;
    for (kind, pair) in &slow {
        let bytes_per_s = if *kind == Kind::Crawls { options.reads_bytes_per_s } else { 0 };
        pair.seat.tell(Do::Read { bytes_per_s: Some(bytes_per_s) });
    }
    feed(&part, &options, &slow).await;
    for (_, pair) in &slow {
        pair.seat.tell(Do::Read { bytes_per_s: None });
    }
    let give_up_micros = part.run.clock.micros() + HEARS_AGAIN_MICROS;
    let mut ended = [0_u64; 3];
    for (kind, pair) in &mut slow {
        ended[*kind as usize] += u64::from(has_ended(&part, pair, give_up_micros).await);
    }
    for kind in Kind::ALL.into_iter().filter(|_| options.all_end) {
        let there_are = slow.iter().filter(|(other, _)| *other == kind).count() as u64;
        if there_are > 0 {
            let count = ended[kind as usize];
            part.run.expect(format!("slow: all {there_are} {} lagged or were closed", kind.name()), count as f64, count == there_are);
        }
    }
    slow.into_iter().map(|(_, pair)| pair).collect()
}

/// Evenly over all of them, until the end.
async fn feed(part: &Part, options: &Options, slow: &[(Kind, Odd)]) {
    let lines_per_s = options.lines_per_s * slow.len() as f64;
    if lines_per_s <= 0.0 {
        return part.until_end().await;
    }
    let (begin, end) = (part.run.clock.micros(), part.run.end_micros());
    for number in 0_u64.. {
        let intended_micros = begin + (number as f64 * 1e6 / lines_per_s) as u64;
        if intended_micros >= end {
            return;
        }
        tokio::time::sleep_until(part.run.clock.at(intended_micros)).await;
        let (kind, pair) = &slow[usize::try_from(number).unwrap_or(0) % slow.len()];
        // Who never reads still speaks now and then.
        let speaks = *kind == Kind::NeverReads && (number / slow.len() as u64).is_multiple_of(50);
        if let Some(speaker) = if speaks { Some(&pair.seat) } else { pair.partner.as_ref() } {
            speaker.tell(Do::Say { intended_micros });
        }
    }
}

/// He lagged or was closed; who reads again finds out what happened meanwhile.
async fn has_ended(part: &Part, pair: &mut Odd, give_up_micros: u64) -> bool {
    let heard = async {
        while let Some(told) = pair.told.recv().await {
            if matches!(told, Told::Lagging | Told::Ended) {
                part.run.meters.expected(if matches!(told, Told::Lagging) { "slow_lagging" } else { "slow_ended" });
                return true;
            }
        }
        false
    };
    tokio::time::timeout_at(part.run.clock.at(give_up_micros), heard).await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_come_by_their_shares_and_leave_somebody_to_measure() {
        let options = Options::default();
        let many = kinds(1000, &options);
        let count = |kind| many.iter().filter(|other| **other == kind).count();
        assert_eq!([count(Kind::Crawls), count(Kind::NeverReads), count(Kind::HalfOpen)], [50, 10, 10]);
        assert_eq!(kinds(20, &options), [Kind::Crawls, Kind::NeverReads, Kind::HalfOpen]);
        assert_eq!(kinds(4, &options), [Kind::Crawls]);
        assert!(kinds(2, &options).is_empty());
    }
}
