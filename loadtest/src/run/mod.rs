//! One run: its people, sockets, clock, meters and ledger, and the moments all parts share.
//!
//! The parts of a plan run side by side. Each opens what it needs, all begin at the same moment, all stop, then the history is read back.

mod conduct;
mod faults;
mod finish;
mod opening;
mod pace;
mod part;
mod watch;

pub use conduct::{Setup, execute};
pub use finish::{ACCEPTED, judge};
pub use part::Part;

use crate::clock::Clock;
use crate::connect::{Http, Target};
use crate::ledger::Ledger;
use crate::measure::Meters;
use crate::people::Person;
use crate::plan::Plan;
use crate::report::data::SloResult;
use crate::workers::worker::Gate;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::{Barrier, watch as channel};

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Plan(#[from] crate::plan::PlanError),
    #[error(transparent)]
    Tokens(#[from] crate::people::TokensError),
    #[error("the target: {0}")]
    Target(String),
    #[error("this machine: {0}")]
    Infrastructure(String),
    #[error("this machine cannot do it: {0}")]
    Preflight(String),
    #[error("stopped")]
    Stopped,
}

impl RunError {
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Plan(_) | Self::Tokens(_) => crate::cli::EXIT_USAGE,
            Self::Target(_) => crate::cli::EXIT_TARGET,
            Self::Infrastructure(_) => crate::cli::EXIT_INFRASTRUCTURE,
            Self::Preflight(_) => crate::cli::EXIT_PREFLIGHT,
            Self::Stopped => crate::cli::EXIT_STOPPED,
        }
    }
}

/// What everything of a run shares.
#[derive(Debug)]
pub struct Run {
    pub clock: Clock,
    pub plan: Plan,
    pub targets: Vec<Target>,
    pub people: Vec<Person>,
    pub meters: Meters,
    pub http: Http,
    /// User -> his conversations among the run's people.
    pub memberships: HashMap<String, HashSet<String>>,
    /// Which of how many workers this is: each draws its own streams from the run's seed.
    pub worker: (u32, u32),
    gate: Option<Gate>,
    ledger: Mutex<Ledger>,
    accounts: Mutex<Accounts>,
    expectations: Mutex<Vec<SloResult>>,
    start: OnceLock<u64>,
    /// All parts have opened; all parts have done their load.
    opened: Barrier,
    loaded: Barrier,
    /// Sends without an answer, so that the end can be awaited.
    outstanding: channel::Sender<u64>,
    /// People whose socket is gone or who are not current again.
    pub behind: channel::Sender<u64>,
    /// `kill` and `ready` of the server, for who waits to come back.
    pub server_up: channel::Sender<bool>,
}

/// Exact accounting of sockets: asked = opened + Σ not opened.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    pub asked: u64,
    pub opened: u64,
    pub never_tried: u64,
    pub not_opened: BTreeMap<String, u64>,
}

impl Run {
    pub fn new(
        plan: Plan,
        targets: Vec<Target>,
        people: Vec<Person>,
        clock: Clock,
        worker: (u32, u32),
        gate: Option<Gate>,
    ) -> Result<Arc<Self>, RunError> {
        let mut memberships: HashMap<String, HashSet<String>> = HashMap::new();
        for person in &people {
            memberships.entry(person.user.clone()).or_default().insert(person.conversation.clone());
        }
        let http = Http::new().map_err(|error| RunError::Infrastructure(error.to_string()))?;
        let parts = plan.parts.len().max(1);
        let key = crate::seed::Seeded::new(plan.seed, &format!("ledger {}", worker.0)).next_u64();
        Ok(Arc::new(Self {
            clock,
            targets,
            people,
            meters: Meters::new(),
            http,
            memberships,
            worker,
            gate,
            ledger: Mutex::new(Ledger::new(key)),
            accounts: Mutex::default(),
            expectations: Mutex::default(),
            start: OnceLock::new(),
            opened: Barrier::new(parts),
            loaded: Barrier::new(parts),
            outstanding: channel::channel(0).0,
            behind: channel::channel(0).0,
            server_up: channel::channel(true).0,
            plan,
        }))
    }

    pub fn ledger<T>(&self, act: impl FnOnce(&mut Ledger) -> T) -> T {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let result = act(&mut ledger);
        let outstanding = ledger.outstanding();
        drop(ledger);
        self.outstanding.send_if_modified(|before| std::mem::replace(before, outstanding) != outstanding);
        result
    }

    pub fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first intended moment. Only after the parts have begun.
    pub fn start_micros(&self) -> u64 {
        self.start.get().copied().unwrap_or(u64::MAX)
    }

    pub fn end_micros(&self) -> u64 {
        self.start_micros().saturating_add(self.plan.length.micros())
    }

    pub fn target(&self, person: &Person) -> &Target {
        &self.targets[person.target % self.targets.len()]
    }

    /// When everything begins: soon, or when all workers are ready.
    async fn first_moment(&self) -> u64 {
        match &self.gate {
            // None: stopped before it began, and the stop ends this too.
            Some(gate) => match gate.clone().ready().await {
                Some(start) => start,
                None => std::future::pending().await,
            },
            None => self.clock.micros() + 300_000,
        }
    }

    /// A scenario's own expectation beside the plan's objectives: not held fails the run alike.
    pub fn expect(&self, rule: impl Into<String>, measured: f64, held: bool) {
        let result = SloResult { rule: rule.into(), measured, held };
        self.expectations.lock().unwrap_or_else(PoisonError::into_inner).push(result);
    }

    pub fn expectations(&self) -> Vec<SloResult> {
        self.expectations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts a failure under its class and in its second.
    pub fn fail(&self, class: &str) {
        self.meters.fail(class, self.clock.micros());
    }
}
