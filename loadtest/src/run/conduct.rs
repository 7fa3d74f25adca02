//! The course of one run, from the first socket to the report.

use super::{Part, Run, RunError, faults, finish, watch};
use crate::clock::Clock;
use crate::connect::Target;
use crate::machine::Root;
use crate::machine::probe::Probe;
use crate::people::Person;
use crate::plan::Plan;
use crate::report::data::{Environment, Live, Report};
use crate::target::Server;
use crate::workers::worker::Gate;
use std::sync::{Arc, Mutex};
use tokio::sync::watch as channel;
use tokio_util::sync::CancellationToken;

/// What a run is given.
#[derive(Debug)]
pub struct Setup {
    pub plan: Plan,
    pub targets: Vec<Target>,
    pub people: Vec<Person>,
    pub clock: Clock,
    /// For faults and for its cost; none where the target is somewhere else.
    pub server: Option<Server>,
    pub environment: Environment,
    /// Which part of the target's own people this is, `index` of `workers`.
    pub worker: (u32, u32),
    /// Where the workers of one run wait for each other.
    pub gate: Option<Gate>,
    pub live: channel::Sender<Live>,
    pub stop: CancellationToken,
}

/// Runs the plan. The server comes back with the report: what happens to it next is the caller's.
pub async fn execute(mut setup: Setup) -> Result<(Report, Option<Server>), RunError> {
    if matches!(setup.server, Some(Server::Launched(_))) {
        crate::scenario::complete(&mut setup.plan);
    }
    setup.plan.check()?;
    if !setup.plan.faults.is_empty() && setup.server.is_none() {
        return Err(RunError::Usage("a fault needs a server of ours, or --server-pid and --restart-command".into()));
    }
    let run = Run::new(setup.plan, setup.targets, setup.people, setup.clock, setup.worker, setup.gate)?;
    let probe = Probe::start(Root::default(), setup.clock, setup.server.as_ref().and_then(Server::pid));
    let probe = Arc::new(Mutex::new(probe));
    let before = finish::Before::take(&probe);
    let watching = tokio::spawn(watch::every_second(run.clone(), probe.clone(), setup.live));
    let server = Arc::new(tokio::sync::Mutex::new(setup.server));
    let faults = tokio::spawn(faults::inject(run.clone(), server.clone(), probe.clone()));
    let schedule_hash = schedule_hash(&run);

    let mut scenarios = tokio::task::JoinSet::new();
    for part in parts(&run) {
        scenarios.spawn(crate::scenario::run(part));
    }
    let outcome = tokio::select! {
        outcome = all(&mut scenarios) => outcome,
        () = setup.stop.cancelled() => Err(RunError::Stopped),
    };
    scenarios.abort_all();
    watching.abort();
    let faulted = if outcome.is_ok() { faults.await.ok() } else { None };
    outcome?;
    faulted.unwrap_or(Ok(()))?;
    let report = finish::report(&run, &probe, before, schedule_hash, setup.environment, setup.worker);
    let server = server.lock().await.take();
    Ok((report, server))
}

async fn all(scenarios: &mut tokio::task::JoinSet<Result<(), RunError>>) -> Result<(), RunError> {
    while let Some(finished) = scenarios.join_next().await {
        finished.map_err(|error| RunError::Infrastructure(format!("a scenario broke off: {error}")))??;
    }
    Ok(())
}

/// Deals the run's people out to its parts, whole conversations at a time, in their order.
fn parts(run: &Arc<Run>) -> Vec<Part> {
    let mut left = (0..run.people.len()).map(|index| u32::try_from(index).unwrap_or(u32::MAX)).collect::<std::collections::VecDeque<_>>();
    let mut parts = Vec::with_capacity(run.plan.parts.len());
    // A worker gets its share of everybody, so its parts do too.
    let share = run.people.len() as f64 / run.plan.users().max(1) as f64;
    for (index, plan) in run.plan.parts.iter().enumerate() {
        let wanted = (plan.users as f64 * share).round() as usize;
        let mut people = Vec::with_capacity(wanted);
        while people.len() < wanted
            && let Some(person) = left.pop_front()
        {
            people.push(person);
        }
        while let (Some(last), Some(next)) = (people.last(), left.front())
            && run.people[*last as usize].conversation == run.people[*next as usize].conversation
        {
            people.extend(left.pop_front());
        }
        parts.push(Part { run: run.clone(), plan: plan.clone(), index, people });
    }
    parts
}

fn schedule_hash(run: &Arc<Run>) -> String {
    let hashes = parts(run).into_iter().map(|part| part.schedule(part.people.len()).hash());
    crate::schedule::hash_text(hashes)
}
