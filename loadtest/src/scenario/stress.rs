//! What the scenarios with misbehaving people share: calm first, then stress, and the others' latency of both beside each other.

use super::text::with_heads;
use crate::measure::{Metric, Phase};
use crate::plan::Span;
use crate::report::data::PhaseSummary;
use crate::run::Part;
use crate::talk::{Habits, Seat, Talker, Told};
use tokio::sync::mpsc;

/// Everybody of a part, seated: who talks as always, and who will not.
pub(super) struct Company {
    pub talkers: Vec<Seat>,
    pub odd: Vec<Odd>,
    pub tasks: Vec<tokio::task::JoinHandle<()>>,
}

/// A pair whose first member misbehaves. Neither of the two is measured.
pub(super) struct Odd {
    pub seat: Seat,
    /// None where he has no socket.
    pub partner: Option<Seat>,
    pub told: mpsc::UnboundedReceiver<Told>,
}

impl Company {
    /// Opens and seats everybody; the patients of the first `odd_pairs` conversations are odd.
    pub(super) async fn seat(part: &Part, odd_pairs: usize, word: &'static str) -> Self {
        let sockets = with_heads(part, part.open_all().await).await;
        let (mut talkers, mut odd, mut tasks) = (Vec::new(), Vec::<Odd>::new(), Vec::new());
        let mut seen = Vec::<String>::new();
        for (person, socket, head) in sockets {
            let conversation = &part.person(person).conversation;
            if seen.last() != Some(conversation) {
                seen.push(conversation.clone());
            }
            let is_odd = seen.len() <= odd_pairs;
            let habits = Habits { apart: is_odd.then_some(word), marks: !is_odd, ..Habits::default() };
            let (hear, told) = mpsc::unbounded_channel();
            let (seat, task) = Talker::seat(&part.run, person, socket, head, habits, is_odd.then_some(hear));
            tasks.push(task);
            match odd.last_mut() {
                _ if !is_odd => talkers.push(seat),
                Some(pair) if pair.seat.conversation == seat.conversation => pair.partner = Some(seat),
                _ => odd.push(Odd { seat, partner: None, told }),
            }
        }
        Self { talkers, odd, tasks }
    }

    pub(super) fn all_seats(self) -> (Vec<Seat>, Vec<tokio::task::JoinHandle<()>>) {
        let odd = self.odd.into_iter().flat_map(|pair| [Some(pair.seat), pair.partner]).flatten();
        (self.talkers.into_iter().chain(odd).collect(), self.tasks)
    }
}

/// When the stress begins: what was asked for, else after the first third of the measured time.
pub(super) fn begins_at(part: &Part, from: Option<Span>) -> u64 {
    let warmup = part.run.plan.warmup.micros();
    let measured = part.run.plan.length.micros().saturating_sub(warmup);
    part.run.start_micros() + warmup + from.map_or(measured / 3, Span::micros)
}

/// Waits for that moment and opens the phase.
pub(super) async fn begin(part: &Part, at_micros: u64, what: &str) {
    tokio::time::sleep_until(part.run.clock.at(at_micros)).await;
    let now = part.run.clock.micros();
    part.run.meters.enter(Phase::Stress, now);
    part.run.meters.mark(what, now);
}

/// The others' 99th percentiles under stress may be so much larger than before; 0 asks for nothing.
pub(super) fn compare(part: &Part, slower_max: f64) {
    let phases = part.run.meters.phases(part.run.end_micros());
    for metric in [Metric::Ack, Metric::Delivery].into_iter().filter(|_| slower_max > 0.0) {
        let (before, under) = (p99(&phases, Phase::Steady, metric), p99(&phases, Phase::Stress, metric));
        let measured = if before > 0.0 { under / before } else { f64::NAN };
        part.run.expect(
            format!("{}: {}.p99 under stress / before <= {slower_max}", part.plan.scenario, metric.name()),
            measured,
            measured <= slower_max,
        );
    }
}

fn p99(phases: &[PhaseSummary], phase: Phase, metric: Metric) -> f64 {
    let summary = phases.iter().find(|summary| summary.phase == phase.name());
    summary.and_then(|summary| summary.metrics.get(metric.name())).map_or(0.0, |summary| summary.percentiles_ms.p99)
}

/// `share` of `of`, at least one where any is asked for.
pub(super) fn share_of(of: usize, share: f64) -> usize {
    if share <= 0.0 { 0 } else { ((of as f64 * share).round() as usize).clamp(1, of) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_somebody_or_nobody_and_never_more_than_all() {
        assert_eq!([share_of(100, 0.05), share_of(10, 0.01), share_of(10, 0.0), share_of(3, 2.0)], [5, 1, 0, 3]);
    }
}
