//! What a scenario gets: its people, its options, and the shared moments of the run.

use super::{Run, RunError};
use crate::connect::{OpenError, Socket};
use crate::ledger::Ledger;
use crate::measure::Metric;
use crate::people::Person;
use crate::plan;
use crate::schedule::{Intended, Schedule};
use crate::seed::Seeded;
use serde::de::DeserializeOwned;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct Part {
    pub run: Arc<Run>,
    pub plan: plan::Part,
    pub index: usize,
    /// Indices of its people in the run's; both members of a conversation together.
    pub people: Vec<u32>,
}

impl Part {
    /// Keeps the random streams of the parts apart.
    pub fn label(&self) -> String {
        format!("{} {} {}", self.run.worker.0, self.index, self.plan.scenario)
    }

    /// The scenario's own keys, as its type. They were checked when the plan was read.
    pub fn options<T: DeserializeOwned>(&self) -> Result<T, RunError> {
        serde_json::from_value(self.plan.options.clone().into())
            .map_err(|error| RunError::Usage(format!("{}: {error}", self.plan.scenario)))
    }

    pub fn person(&self, index: u32) -> &Person {
        &self.run.people[index as usize]
    }

    /// The schedule over `actors` of its own: pairs, people, whatever acts.
    pub fn schedule(&self, actors: usize) -> Schedule {
        Schedule::new(self.run.plan.seed, &self.label(), &self.plan, actors)
    }

    /// A socket on another device of a person who has one already.
    pub async fn open_another(&self, person: u32) -> Result<Socket, OpenError> {
        self.run.accounts().asked += 1;
        let device = Seeded::new(self.run.plan.seed, &format!("{} device {person} another", self.label())).uuid();
        super::opening::open(&self.run, person, device, self.run.clock.micros()).await
    }

    /// Waits until every part has opened; the moment they all begin at.
    pub async fn begin(&self) -> u64 {
        if self.run.opened.wait().await.is_leader() {
            let start = self.run.first_moment().await;
            self.run.meters.start(start, self.run.plan.warmup.micros());
            // Only the leader of the one barrier sets it.
            let _ = self.run.start.set(start);
        }
        while self.run.start.get().is_none() {
            tokio::task::yield_now().await;
        }
        self.run.start_micros()
    }

    /// Calls `act` for each event at its intended moment, on a thread of its own: the runtime's timer is too coarse.
    /// Returns after the last; `act` must not block.
    pub async fn pace(&self, actors: usize, act: impl FnMut(Intended) + Send + 'static) {
        super::pace::pace(self.run.clone(), self.schedule(actors), act).await;
    }

    /// Waits until the plan's end.
    pub async fn until_end(&self) {
        tokio::time::sleep_until(self.run.clock.at(self.run.end_micros())).await;
    }

    /// Waits until every part has done its load, nothing more is awaited and everybody is back, or patience is at its end.
    pub async fn done(&self) {
        self.run.loaded.wait().await;
        let mut outstanding = self.run.outstanding.subscribe();
        // What stays out is settled by the final read.
        let _ = tokio::time::timeout(self.run.plan.patience.0, outstanding.wait_for(|left| *left == 0)).await;
        let mut behind = self.run.behind.subscribe();
        let _ = tokio::time::timeout(self.run.plan.patience.0, behind.wait_for(|count| *count == 0)).await;
    }

    /// An action over HTTP: its latency from `intended` when it succeeded, else its class among the failures.
    pub fn outcome(&self, metric: Metric, intended_micros: u64, outcome: &Result<(), String>) {
        match outcome {
            Ok(()) => self.run.meters.record(metric, intended_micros, self.run.clock.micros()),
            Err(class) => self.run.fail(class),
        }
    }

    pub fn ledger<T>(&self, act: impl FnOnce(&mut Ledger) -> T) -> T {
        self.run.ledger(act)
    }
}
