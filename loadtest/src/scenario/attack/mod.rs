//! `attack`: hostile connections against the socket and HTTP while people talk. Each kind has its refusal and its time; one that is not
//! shed in time, or otherwise than the protocol says, is a failure. The talkers have to notice nothing.

mod frame;
mod kind;
mod strike;

use super::stress;
use super::text::{seat_all, talk, with_heads};
use crate::measure::Metric;
use crate::plan::Span;
use crate::run::{Part, RunError};
use crate::talk::{Habits, read_all};
use kind::{Kind, Refusal};
use serde::Deserialize;
use strike::{Outcome, strike};
use tokio::task::JoinSet;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Which attacks, in turn; all when empty.
    pub kinds: Vec<Kind>,
    /// Hostile connections a second over all kinds.
    pub connections_per_s: f64,
    /// How many of the part's people are hostile: those who flood are signed in.
    pub hostile_people: usize,
    /// When it begins, after the warm-up; a third of the measured time when left out.
    pub from: Option<Span>,
    /// Expectation: the talkers' 99th percentiles grow by no more than this factor; 0 asks for nothing.
    pub others_slower_max: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { kinds: Vec::new(), connections_per_s: 20.0, hostile_people: 2, from: None, others_slower_max: 0.0 }
    }
}

pub async fn run(part: Part) -> Result<(), RunError> {
    let options: Options = part.options()?;
    let (mut talking, mut hostile) = (part.clone(), Vec::new());
    if options.hostile_people * 2 > part.people.len() {
        return Err(RunError::Usage(format!("attack: {} hostile people of {}", options.hostile_people, part.people.len())));
    }
    hostile.extend(talking.people.split_off(part.people.len() - options.hostile_people.next_multiple_of(2)));
    let sockets = with_heads(&talking, talking.open_all().await).await;
    part.begin().await;
    let (seats, tasks) = seat_all(&talking, sockets, &Habits::default());
    let attacking = tokio::spawn(attack(part.clone(), options.clone(), hostile));
    talk(&talking, &seats).await;
    attacking.await.map_err(|error| RunError::Infrastructure(format!("attack: {error}")))?;
    stress::compare(&part, options.others_slower_max);
    let failed: u64 = part.run.meters.failures().iter().filter(|(class, _)| class.starts_with("attack_")).map(|(_, count)| count).sum();
    part.run.expect("attack: every hostile connection was refused as the protocol says, and in time", failed as f64, failed == 0);
    part.done().await;
    read_all(seats, tasks).await;
    Ok(())
}

/// One after the other, kind by kind; the last begins early enough to end with the run.
async fn attack(part: Part, options: Options, hostile: Vec<u32>) {
    let kinds = if options.kinds.is_empty() { Kind::ALL.to_vec() } else { options.kinds };
    let from_micros = stress::begins_at(&part, options.from);
    stress::begin(&part, from_micros, &format!("attack: {} connections a second", options.connections_per_s)).await;
    let until = part.run.end_micros().saturating_sub(u64::try_from(strike::longest().as_micros()).unwrap_or(0));
    let mut strikes = JoinSet::new();
    for number in 0_usize.. {
        let intended_micros = from_micros + (number as f64 * 1e6 / options.connections_per_s.max(0.001)) as u64;
        // However short the run, each kind has its turn.
        if intended_micros >= until && number >= kinds.len() {
            break;
        }
        tokio::time::sleep_until(part.run.clock.at(intended_micros)).await;
        let person = hostile.get(number % hostile.len().max(1)).copied();
        strikes.spawn(one(part.clone(), kinds[number % kinds.len()], person, intended_micros));
        while strikes.try_join_next().is_some() {}
    }
    while strikes.join_next().await.is_some() {}
}

async fn one(part: Part, kind: Kind, person: Option<u32>, intended_micros: u64) {
    let person = person.map(|person| part.person(person));
    let target = person.map_or(&part.run.targets[0], |person| part.run.target(person));
    let outcome = strike(target, kind, person.map(crate::people::Person::access_token)).await;
    let name = kind.name();
    match outcome {
        Outcome::Refused(refusal) if kind.refusals().contains(&refusal) => {
            part.run.meters.record(Metric::Shed, intended_micros, part.run.clock.micros());
            part.run.meters.expected(&format!("attack_{name}_{}", word(refusal)));
        }
        Outcome::Refused(refusal) => part.run.fail(&format!("attack_{name}_answered_{}", word(refusal))),
        Outcome::AtTheDoor(status) => part.run.meters.expected(&format!("attack_{name}_door_{status}")),
        Outcome::NotShed => part.run.fail(&format!("attack_{name}_not_shed")),
        Outcome::Generator => part.run.fail("generator_limit"),
    }
}

fn word(refusal: Refusal) -> String {
    match refusal {
        Refusal::Status(status) => format!("http_{status}"),
        Refusal::Close(code) => format!("close_{code}"),
        Refusal::HungUp => "hung_up".into(),
    }
}
