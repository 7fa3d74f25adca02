//! The work that brings a lie to light: short runs of the real scenarios, and probes where the product or the scenario is still to come.

use super::expect::{Findings, Latency, histogram};
use super::lies::{Lie, Load};
use super::probes;
use super::server::{self, Planted, Server};
use crate::clock::Clock;
use crate::connect::Target;
use crate::people;
use crate::plan::{Arrivals, Part, Plan, Rate, Span, Stages};
use crate::report::data::{Environment, Live, Report};
use crate::run::{RunError, Setup, execute};
use crate::scenario::Name;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The stall takes the middle half of its run.
const STALL_MICROS: (u64, u64) = (7_500_000, 22_500_000);
/// What every acknowledgement takes in the run with the slow tail: long beside what a busy machine adds.
pub const SLOW_MICROS: u64 = 1_000_000;
const PATIENCE: Span = Span::seconds(20);

/// What a run was, beside what it found.
#[derive(Debug)]
pub struct Done {
    pub told: u64,
    pub found: Findings,
}

/// People, lines a second, seconds; and in how many lines a lie can be told at least.
struct Size {
    people: usize,
    rate: f64,
    seconds: u64,
    among: u64,
}

fn size(lie: Option<Lie>, load: Load) -> Size {
    match load {
        Load::Text => {
            // Where only one of two sides can be lied to, half of the lines come into question, and not all runs draw exactly half.
            let halved = matches!(lie, Some(Lie::StaleAccess | Lie::WrongOffset));
            Size { people: 8, rate: 60.0, seconds: 5, among: if halved { 120 } else { 290 } }
        }
        Load::Stall => Size { people: 4, rate: 20.0, seconds: 30, among: 1 },
        Load::Slow => Size { people: 8, rate: 100.0, seconds: 4, among: 390 },
        Load::Connect => Size { people: 200, rate: 20.0, seconds: 2, among: 200 },
        Load::Calls => Size { people: 8, rate: 0.0, seconds: 0, among: probes::CALLS },
        Load::Money => Size { people: 8, rate: 0.0, seconds: 0, among: probes::REFUNDS },
        Load::Slots => Size { people: 8, rate: 0.0, seconds: 0, among: probes::among_slots(lie) },
    }
}

/// One run against a server of its own that tells `lie` so many times.
pub async fn run(lie: Option<Lie>, load: Load, times: u64, seed: u64) -> Result<Done, RunError> {
    let size = size(lie, load);
    let planted = lie.filter(|lie| *lie != Lie::Stall).map(|lie| Planted { lie, times, among: size.among });
    let stall_micros = (lie == Some(Lie::Stall)).then_some(STALL_MICROS);
    let options =
        server::Options { people: size.people, planted, seed, stall_micros, slow_micros: if load == Load::Slow { SLOW_MICROS } else { 0 } };
    let server = Server::start(options).await.map_err(|error| RunError::Infrastructure(error.to_string()))?;
    let target = Target::parse(&server.url()).map_err(RunError::Usage)?;
    let people = people::parse(&[server.people()], size.people)?;
    let found = match load {
        Load::Text | Load::Stall | Load::Slow | Load::Connect => {
            let report = text(&size, target, people, seed).await?;
            let mut found = Findings::of_report(&report);
            found.latency =
                histogram(&report, "ack").map(|reported| Latency { reported_micros: reported.values(), kept_micros: kept(&server) });
            found
        }
        Load::Calls => probes::calls(&target, &people).await?,
        Load::Money => probes::money(&target, &people).await?,
        Load::Slots => probes::slots(&target, &people, seed).await?,
    };
    Ok(Done { told: server.told(), found })
}

fn kept(server: &Server) -> Vec<(u64, u64)> {
    server.kept_micros().iter_recorded().map(|value| (value.value_iterated_to(), value.count_at_value())).collect()
}

async fn text(size: &Size, target: Target, people: Vec<people::Person>, seed: u64) -> Result<Report, RunError> {
    let length = Span::seconds(size.seconds);
    let part = Part {
        scenario: Name::Text,
        users: size.people,
        arrivals: Arrivals::Uniform,
        stages: Stages::constant(Rate(size.rate), length),
        options: serde_json::Map::new(),
    };
    let plan = Plan {
        name: "selftest".into(),
        seed,
        warmup: Span::seconds(0),
        length,
        connect_rate: Rate(400.0),
        parts: vec![part],
        faults: Vec::new(),
        slo: Vec::new(),
        patience: PATIENCE,
    };
    let setup = Setup {
        plan,
        targets: vec![target],
        people,
        clock: Clock::start(),
        server: None,
        environment: Environment::default(),
        worker: (0, 1),
        gate: None,
        live: watch::channel(Live::default()).0,
        stop: CancellationToken::new(),
    };
    execute(setup).await.map(|(report, _)| report)
}
