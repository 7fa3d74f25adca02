//! `noisy`: somebody sends a hundred times as much as the others. What the server refuses him is counted apart; how the others fare is
//! the measure. A server of ours runs with the limits of its product for this, not with those of a bench.

use super::stress::{self, Company, share_of};
use super::text::talk;
use crate::plan::Span;
use crate::run::{Part, RunError};
use crate::talk::{Do, read_all};
use serde::Deserialize;
use tokio::sync::mpsc;

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Part of the people who are noisy, 0 to 1; one where it is 0.
    pub share: f64,
    /// How many times as much as one of the others they send.
    pub times: f64,
    /// When they begin, after the warm-up; a third of the measured time when left out.
    pub from: Option<Span>,
    /// Expectation: at least so many of their commands are refused. 0 for an installation whose limits are lifted.
    pub refused_min: u64,
    /// Expectation: the others' 99th percentiles grow by no more than this factor; 0 asks for nothing.
    pub others_slower_max: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { share: 0.0, times: 100.0, from: None, refused_min: 1, others_slower_max: 0.0 }
    }
}

/// The classes of the server's defence.
const REFUSALS: [&str; 2] = ["noisy_rate_limited", "noisy_closed_4009"];

pub async fn run(part: Part) -> Result<(), RunError> {
    let options: Options = part.options()?;
    let pairs = part.people.len() / 2;
    let noisy = share_of(part.people.len(), options.share).clamp(1, pairs.saturating_sub(1).max(1));
    let company = Company::seat(&part, noisy, "noisy").await;
    part.begin().await;
    let voices = company.odd.iter().map(|pair| pair.seat.sender()).collect::<Vec<_>>();
    let making = tokio::spawn(make_noise(part.clone(), options, voices));
    talk(&part, &company.talkers).await;
    making.await.map_err(|error| RunError::Infrastructure(format!("noisy: {error}")))?;
    stress::compare(&part, options.others_slower_max);
    let expected = part.run.meters.all_expected();
    let refused: u64 = REFUSALS.iter().filter_map(|class| expected.get(*class)).sum();
    let rule = format!("noisy: at least {} commands refused", options.refused_min);
    part.run.expect(rule, refused as f64, refused >= options.refused_min);
    part.done().await;
    let (seats, tasks) = company.all_seats();
    read_all(seats, tasks).await;
    Ok(())
}

/// Lines a second of each noisy person.
fn rate_of_one(rate_per_s: f64, others: usize, times: f64) -> f64 {
    times * rate_per_s / others.max(1) as f64
}

async fn make_noise(part: Part, options: Options, voices: Vec<mpsc::UnboundedSender<Do>>) {
    let others = part.people.len().saturating_sub(voices.len() * 2);
    let each = rate_of_one(part.plan.stages.highest(), others, options.times);
    let from_micros = stress::begins_at(&part, options.from);
    stress::begin(&part, from_micros, &format!("{} people send {each:.1} lines a second each", voices.len())).await;
    let all = each * voices.len() as f64;
    for number in 0_u64.. {
        let intended_micros = from_micros + (number as f64 * 1e6 / all.max(0.001)) as u64;
        if intended_micros >= part.run.end_micros() {
            return;
        }
        tokio::time::sleep_until(part.run.clock.at(intended_micros)).await;
        if let Some(voice) = voices.get(usize::try_from(number).unwrap_or(0) % voices.len().max(1)) {
            // A talker who is gone for good says so in the accounts.
            let _ = voice.send(Do::Say { intended_micros });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_times_is_of_one_of_the_others() {
        assert_eq!(rate_of_one(50.0, 100, 100.0), 50.0);
        assert_eq!(rate_of_one(50.0, 0, 100.0), 5000.0);
    }
}
