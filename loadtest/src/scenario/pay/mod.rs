//! `pay`: patients order consultations, pay at the demo's cashier, and some ask for their money back, all with the double clicks and
//! repeats of real people, while a stranger tries the callback route. At the end every order is read and its money added up.
//!
//! The simulated channel is the demo's: an installation without it has no cashier, and this scenario ends with a usage error.

mod clinic;
mod forge;
mod order;
mod settle;

use crate::ledger::money::Money;
use crate::plan::Arrivals;
use crate::run::{Part, RunError};
use crate::scenario::device::Device;
use crate::schedule::Intended;
use crate::seed::Seeded;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::task::TaskTracker;

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Part of the orders that are submitted a second time with the same key.
    pub repeat_share: f64,
    /// Part of the orders that are never paid.
    pub unpaid_share: f64,
    /// Part of the paid orders whose money is asked back, each time with a double click.
    pub refund_share: f64,
    /// Part of the payments that are begun and clicked twice.
    pub double_click_share: f64,
    /// Part of the events that are forged notices at the callback routes.
    pub forged_share: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { repeat_share: 0.2, unpaid_share: 0.1, refund_share: 0.3, double_click_share: 0.2, forged_share: 0.05 }
    }
}

/// What the tasks of this part share.
#[derive(Debug)]
struct Till {
    part: Part,
    options: Options,
    clinic: clinic::Clinic,
    money: Mutex<Money>,
    /// Orders by their person, for the final read.
    owners: Mutex<HashMap<String, u32>>,
    /// Wakes who waits for an order of his: the server's `changed`, by person.
    woken: HashMap<u32, Arc<tokio::sync::Notify>>,
}

impl Till {
    fn money(&self) -> MutexGuard<'_, Money> {
        self.money.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn owners(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub async fn run(part: Part) -> Result<(), RunError> {
    let options: Options = part.options()?;
    let shares = [options.repeat_share, options.unpaid_share, options.refund_share, options.double_click_share, options.forged_share];
    if !shares.iter().all(|share| (0.0..=1.0).contains(share)) || part.plan.arrivals == Arrivals::Closed {
        return Err(RunError::Usage(format!("options of pay that cannot be, or a closed loop: {options:?}")));
    }
    let clinic = clinic::Clinic::visit(&part).await?;
    let (mut woken, mut lines) = (HashMap::new(), Vec::new());
    for (person, socket) in part.open_all().await {
        let notify: Arc<tokio::sync::Notify> = Arc::default();
        woken.insert(person, notify.clone());
        let line = Device::start(&part, person, socket);
        lines.push(line.to);
        tokio::spawn(settle::wake(line.from, notify));
    }
    let till = Arc::new(Till { part: part.clone(), options, clinic, money: Mutex::default(), owners: Mutex::default(), woken });
    part.begin().await;
    let shopping = TaskTracker::new();
    act(&till, &shopping).await;
    shopping.close();
    // A refund may take as long as an answer; what takes longer is told by the final read.
    let _ = tokio::time::timeout(part.run.plan.patience.0, shopping.wait()).await;
    part.done().await;
    settle::read_all(&till).await;
    Ok(())
}

/// Orders and forgeries by the part's schedule until its end.
async fn act(till: &Arc<Till>, shopping: &TaskTracker) {
    let part = &till.part;
    let patients: Vec<u32> =
        part.people.iter().copied().filter(|person| part.person(*person).role == crate::people::Role::Patient).collect();
    let (runtime, tasks, of, start) = (tokio::runtime::Handle::current(), shopping.clone(), till.clone(), part.run.start_micros());
    let actors = patients.len();
    let act = move |event: Intended| {
        let person = patients[event.actor as usize];
        let intended_micros = start + event.at_micros;
        let mut dice = Seeded::new(event.nonce, "pay");
        if dice.chance(of.options.forged_share) {
            tasks.spawn_on(forge::forge(of.clone(), dice), &runtime);
        } else {
            tasks.spawn_on(order::order(of.clone(), person, intended_micros, dice), &runtime);
        }
    };
    part.pace(actors, act).await;
    part.until_end().await;
}
