//! A run shared by several processes: this side of `crate::workers`, which knows nothing of plans.

use super::{output, server};
use crate::cli::{EXIT_INFRASTRUCTURE, EXIT_PASS, ServerOptions};
use crate::clock::Clock;
use crate::connect::Target;
use crate::machine::Root;
use crate::machine::probe::{Usage, usage};
use crate::machine::sources::{Slice, SourceNet, Sources, ephemeral_ports};
use crate::people;
use crate::plan::Plan;
use crate::report::data::{Live, Report, ServerCost};
use crate::run::{RunError, Setup, execute, judge};
use crate::workers::coordinator::{Limits, Start, coordinate};
use crate::workers::local::LocalWorkers;
use crate::workers::merge::merge;
use crate::workers::secret::Secret;
use crate::workers::worker::{self, Assignment, Failure};
use crate::workers::{Sharing, Work};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What every worker is told besides its people.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    plan: Plan,
    targets: Vec<String>,
    src_net: Option<String>,
}

/// True where more than this process takes part.
pub(super) fn is_shared(sharing: &Sharing) -> bool {
    sharing.listen.is_some() || sharing.workers.is_some_and(|workers| workers > 1)
}

pub(super) async fn run(
    plan: &Plan,
    installation: &server::Installation,
    options: &ServerOptions,
    warnings: Vec<String>,
    live: watch::Sender<Live>,
    stop: CancellationToken,
) -> Result<Report, RunError> {
    if !plan.faults.is_empty() {
        return Err(RunError::Usage("a shared run has no faults of its own: kill the server beside it, or run with one worker".into()));
    }
    let sharing = &options.sharing;
    let expect = sharing.expect.or(sharing.workers).unwrap_or(1);
    let secret = if sharing.listen.is_some() { Secret::find(sharing.secret.as_deref()) } else { Secret::fresh() };
    let secret = secret.map_err(|error| RunError::Usage(error.to_string()))?;
    let listener = TcpListener::bind(sharing.listen.as_deref().unwrap_or("127.0.0.1:0")).await.map_err(infrastructure)?;
    let locals = match sharing.workers.filter(|_| sharing.listen.is_none()) {
        Some(workers) => {
            let program = std::env::current_exe().map_err(infrastructure)?;
            let join = listener.local_addr().map_err(infrastructure)?;
            Some(LocalWorkers::start(&program, &["work"], workers, join, &secret).map_err(infrastructure)?)
        }
        None => None,
    };
    let order = Order {
        plan: plan.clone(),
        targets: installation.targets.iter().map(Target::url).collect(),
        src_net: options.src_net.as_ref().map(ToString::to_string),
    };
    let pid = installation.server.as_ref().and_then(crate::target::Server::pid);
    let seen = Arc::new(Mutex::new(ServerSeen::default()));
    let start = Start {
        listener,
        expect,
        secret,
        clock: Clock::start(),
        plan: serde_json::to_value(order).unwrap_or_default(),
        people: lines_with_target(&installation.lines, plan.users()),
        live,
        stop,
        began: None,
        limits: Limits::default(),
    };
    let watched = tokio::spawn(watch_server(pid, seen.clone()));
    let outcome = coordinate(start).await.map_err(|error| RunError::Infrastructure(super::with_causes(&error)));
    watched.abort();
    let outcome = outcome?;
    if let Some(locals) = locals {
        locals.join().await;
    }
    let mut report = merge(&outcome, |report| judge(report, plan)).map_err(|error| RunError::Infrastructure(error.to_string()))?;
    report.environment = output::environment(warnings);
    if pid.is_some() {
        report.server = seen.lock().unwrap_or_else(PoisonError::into_inner).cost(report.counts.opened);
    }
    Ok(report)
}

/// A server on this machine, which no worker sees.
#[derive(Debug, Default)]
struct ServerSeen {
    before: Option<Usage>,
    last: Option<Usage>,
    rss_max_bytes: u64,
}

impl ServerSeen {
    fn cost(&self, sockets: u64) -> ServerCost {
        let (Some(before), Some(last)) = (self.before, self.last) else { return ServerCost::default() };
        ServerCost {
            rss_bytes: last.rss_bytes,
            rss_max_bytes: self.rss_max_bytes,
            cpu_seconds: last.cpu_seconds - before.cpu_seconds,
            rss_per_socket_bytes: last.rss_bytes.saturating_sub(before.rss_bytes) / sockets.max(1),
        }
    }
}

async fn watch_server(pid: Option<u32>, seen: Arc<Mutex<ServerSeen>>) {
    let Some(pid) = pid.map(|pid| pid.to_string()) else { return };
    let mut seconds = tokio::time::interval(std::time::Duration::from_secs(1));
    loop {
        seconds.tick().await;
        if let Some(usage) = usage(&Root::default(), &pid) {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.before.get_or_insert(usage);
            seen.last = Some(usage);
            seen.rss_max_bytes = seen.rss_max_bytes.max(usage.rss_bytes);
        }
    }
}

/// People of several installations in one list, each line with its target's number.
fn lines_with_target(lines_by_target: &[Vec<String>], users: usize) -> Vec<String> {
    let share = users.div_ceil(lines_by_target.len().max(1)).next_multiple_of(2);
    let mut all = Vec::with_capacity(users);
    for (target, lines) in lines_by_target.iter().enumerate() {
        for line in lines.iter().take(share.min(users - all.len())) {
            // A line that is no object is refused where it is read.
            let told = line.trim_end().strip_suffix('}').map(|open| format!("{open},\"target\":{target}}}"));
            all.push(told.unwrap_or_else(|| line.clone()));
        }
    }
    all
}

pub(super) async fn work(options: &Work) -> Result<u8, RunError> {
    let secret = Secret::find(options.secret.as_deref()).map_err(|error| RunError::Usage(error.to_string()))?;
    let clock = Clock::start();
    let part = async |assignment: Assignment, live: watch::Sender<Live>| {
        one(assignment, live, clock).await.map_err(|error| Failure { reason: error.to_string(), exit_code: error.exit_code() })
    };
    match worker::work(&options.join, &secret, clock, part).await {
        Ok(()) => Ok(EXIT_PASS),
        Err(error) => {
            eprintln!("loadtest work: {}", super::with_causes(&error));
            Ok(EXIT_INFRASTRUCTURE)
        }
    }
}

async fn one(assignment: Assignment, live: watch::Sender<Live>, clock: Clock) -> Result<Report, RunError> {
    let order: Order =
        serde_json::from_value(assignment.plan).map_err(|error| RunError::Usage(format!("the coordinator's plan: {error}")))?;
    let sources = sources(order.src_net.as_deref(), assignment.index, assignment.of)?;
    let mut targets = order.targets.iter().map(|url| Target::parse(url)).collect::<Result<Vec<_>, _>>().map_err(RunError::Usage)?;
    for target in &mut targets {
        target.sources.clone_from(&sources);
    }
    let count = assignment.people.len();
    let setup = Setup {
        plan: order.plan.share(assignment.of),
        targets,
        people: people::parse(&[assignment.people], count)?,
        clock,
        server: None,
        environment: output::environment(Vec::new()),
        worker: (assignment.index, assignment.of),
        gate: Some(assignment.gate),
        live,
        stop: assignment.stop,
    };
    Ok(execute(setup).await?.0)
}

/// The source addresses of one of several processes on a machine; none without a net.
pub(super) fn sources(net: Option<&str>, index: u32, of: u32) -> Result<Option<Sources>, RunError> {
    let Some(net) = net else { return Ok(None) };
    let net: SourceNet = net.parse().map_err(RunError::Usage)?;
    Ok(Some(Sources::new(Some(net), Slice { index, of }, ephemeral_ports(&Root::default()))))
}

fn infrastructure(error: std::io::Error) -> RunError {
    RunError::Infrastructure(error.to_string())
}
