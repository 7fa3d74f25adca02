//! `reconnect`: talkers whose server is killed under them, or many of whose sockets are dropped at once. How long until everybody is
//! current again: connected, gaps filled, unanswered lines settled. Nothing may be lost, doubled or reordered by it.

use super::stress::{begins_at, share_of};
use super::text::{seat_all, talk, with_heads};
use crate::measure::Phase;
use crate::plan::{Fault, FaultKind, Plan, Span};
use crate::run::{Part, RunError};
use crate::seed::Seeded;
use crate::talk::{Do, Habits, read_all};
use serde::Deserialize;
use tokio::sync::mpsc;

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Part of the people, 0 to 1, whose sockets the clients drop at once where the run has no fault.
    pub share: f64,
    /// When they do, after the warm-up; a third of the measured time when left out.
    pub from: Option<Span>,
}

impl Default for Options {
    fn default() -> Self {
        Self { share: 0.17, from: None }
    }
}

/// A server of ours is killed in the middle where the plan says nothing else and drops no sockets on purpose.
pub fn default_fault(plan: &Plan) -> Option<Fault> {
    let reconnects = |part: &crate::plan::Part| part.scenario == super::Name::Reconnect && !part.options.contains_key("share");
    let measured = plan.length.0.saturating_sub(plan.warmup.0);
    let at = Span(plan.warmup.0 + measured / 3);
    (plan.faults.is_empty() && plan.parts.iter().any(reconnects)).then_some(Fault { kind: FaultKind::Kill9, at, lasting: Span::seconds(0) })
}

pub async fn run(part: Part) -> Result<(), RunError> {
    let options: Options = part.options()?;
    let sockets = with_heads(&part, part.open_all().await).await;
    part.begin().await;
    let (seats, tasks) = seat_all(&part, sockets, &Habits::default());
    let dropping = part.run.plan.faults.is_empty().then(|| {
        let mut dice = Seeded::new(part.run.plan.seed, &format!("{} drops", part.label()));
        let chosen = chosen(&mut dice, seats.len(), share_of(seats.len(), options.share));
        tokio::spawn(drop_sockets(part.clone(), options, chosen.into_iter().map(|index| seats[index].sender()).collect()))
    });
    talk(&part, &seats).await;
    part.done().await;
    if let Some(dropping) = dropping {
        // It ends with the recovery, or when patience is at its end.
        let _ = dropping.await;
    }
    read_all(seats, tasks).await;
    Ok(())
}

/// So many of all, drawn from the seed.
fn chosen(dice: &mut Seeded, of: usize, wanted: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (0..of).collect();
    for index in 0..wanted.min(of) {
        all.swap(index, index + dice.below(of - index));
    }
    all.truncate(wanted);
    all
}

async fn drop_sockets(part: Part, options: Options, who: Vec<mpsc::UnboundedSender<Do>>) {
    tokio::time::sleep_until(part.run.clock.at(begins_at(&part, options.from))).await;
    let now = part.run.clock.micros();
    part.run.meters.enter(Phase::Fault, now);
    part.run.meters.mark(format!("{} sockets dropped", who.len()), now);
    for talker in who {
        // A talker who is gone for good says so in the accounts.
        let _ = talker.send(Do::LoseSocket);
    }
    part.run.recover(now).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Part as PlanPart, Rate, Stages};

    fn plan(options: &str) -> Plan {
        let stages = Stages::constant(Rate(1.0), Span::seconds(35));
        let options = serde_json::from_str(options).expect("an object");
        let part = PlanPart { scenario: super::super::Name::Reconnect, users: 10, arrivals: Default::default(), stages, options };
        Plan {
            name: "reconnect".into(),
            seed: 1,
            warmup: Span::seconds(5),
            length: Span::seconds(35),
            connect_rate: Rate(100.0),
            parts: vec![part],
            faults: Vec::new(),
            slo: Vec::new(),
            patience: Span::seconds(10),
        }
    }

    #[test]
    fn a_server_of_ours_is_killed_unless_something_else_was_asked_for() {
        assert_eq!(default_fault(&plan("{}")).map(|fault| fault.to_string()), Some("kill9@15s".into()));
        assert_eq!(default_fault(&plan("{\"share\": 1.0}")), None);
        let mut faulty = plan("{}");
        faulty.faults.push("pause@3s+1s".parse().expect("well formed"));
        assert_eq!(default_fault(&faulty), None);
    }

    #[test]
    fn the_seed_draws_whose_sockets_are_dropped() {
        let draw = |seed| chosen(&mut Seeded::new(seed, "drops"), 100, 17);
        assert_eq!(draw(3), draw(3));
        assert_ne!(draw(3), draw(4));
        let mut once = draw(3);
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), 17);
        assert_eq!(chosen(&mut Seeded::new(1, "drops"), 5, 5).len(), 5);
    }
}
