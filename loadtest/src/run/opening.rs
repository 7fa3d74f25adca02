//! Opening sockets at the asked rate. Everybody ends in exactly one of opened or a class of not opened.

use super::{Part, Run};
use crate::connect::{OpenError, Socket};
use crate::measure::Metric;
use crate::seed::Seeded;
use std::sync::Arc;

impl Part {
    /// One socket for each of the part's people, with the index of its person.
    pub async fn open_all(&self) -> Vec<(u32, Socket)> {
        let mut devices = Seeded::new(self.run.plan.seed, &format!("{} devices", self.label()));
        let share = self.people.len() as f64 / self.run.people.len().max(1) as f64;
        let gap_micros = 1e6 / (self.run.plan.connect_rate.0 * share).max(0.001);
        let begin = self.run.clock.micros();
        self.run.accounts().asked += self.people.len() as u64;
        let mut opening = tokio::task::JoinSet::new();
        for (index, person) in self.people.iter().copied().enumerate() {
            let due = begin + (index as f64 * gap_micros) as u64;
            tokio::time::sleep_until(self.run.clock.at(due)).await;
            let (run, device) = (self.run.clone(), devices.uuid());
            opening.spawn(async move { (person, open(&run, person, device, due).await) });
        }
        let mut opened = Vec::with_capacity(self.people.len());
        while let Some(finished) = opening.join_next().await {
            match finished {
                Ok((person, Ok(socket))) => opened.push((person, socket)),
                Ok((_, Err(_))) => {}
                Err(_) => *self.run.accounts().not_opened.entry("generator_limit".into()).or_default() += 1,
            }
        }
        opened.sort_unstable_by_key(|(person, _)| *person);
        opened
    }
}

/// One socket, accounted for.
pub(super) async fn open(run: &Arc<Run>, person: u32, device: uuid::Uuid, intended_micros: u64) -> Result<Socket, OpenError> {
    let who = &run.people[person as usize];
    let opened = Socket::open(run.target(who), &who.access_token(), device).await;
    let mut accounts = run.accounts();
    match &opened {
        Ok(_) => {
            accounts.opened += 1;
            run.meters.record(Metric::Open, intended_micros, run.clock.micros());
            run.meters.socket_opened();
        }
        Err(error) => *accounts.not_opened.entry(error.class()).or_default() += 1,
    }
    opened
}
