//! `loadtest run`, and `loadtest` without a word.

use super::{output, plan, server, shared};
use crate::cli::{Canonical, EXIT_INCORRECT, Output, Run, ServerOptions};
use crate::clock::Clock;
use crate::machine::doctor::{Doctor, examine};
use crate::people;
use crate::plan::Plan;
use crate::report::data::{Live, Report, Verdict};
use crate::run::{RunError, Setup, execute};
use crate::target::Server;
use crate::target::launched::Limits;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub(super) async fn canonical(options: Canonical) -> Result<u8, RunError> {
    let plan = plan::canonical(&options)?;
    let installation = server::open(&options.server, limits(&plan)).await?;
    one(plan, installation, &options.server, &options.output).await
}

pub(super) async fn run(options: Run) -> Result<u8, RunError> {
    // A wrong plan is told before a server is started.
    let plan = plan::asked(&options, Some(2))?;
    plan.check()?;
    let installation = server::open(&options.server, limits(&plan)).await?;
    let plan = plan::asked(&options, installation.people())?;
    one(plan, installation, &options.server, &options.output).await
}

fn limits(plan: &Plan) -> Limits {
    let wanted = plan.parts.iter().any(|part| part.scenario.wants_limits());
    if wanted { Limits::Product } else { Limits::Lifted }
}

async fn one(plan: Plan, mut installation: server::Installation, options: &ServerOptions, outputs: &Output) -> Result<u8, RunError> {
    enough_files(plan.users(), options)?;
    let warnings = preflight(plan.users(), options).await;
    installation.mint(plan.users()).await?;
    let (live, shown) = watch::channel(Live::default());
    let stop = CancellationToken::new();
    let showing = output::show(outputs, shown, &stop).await?;
    if shared::is_shared(&options.sharing) {
        let ran = shared::run(&plan, &installation, options, warnings, live, stop).await;
        showing.end().await;
        let mut report = ran?;
        if options.verify {
            verify(&mut report, installation.server).await?;
        }
        return output::write(&report, outputs);
    }
    let people = people::parse(&installation.lines, plan.users())?;
    let net = options.src_net.as_ref().map(ToString::to_string);
    let sources = shared::sources(net.as_deref(), 0, 1)?;
    for target in &mut installation.targets {
        target.sources.clone_from(&sources);
    }
    let setup = Setup {
        plan,
        targets: installation.targets,
        people,
        clock: Clock::start(),
        server: installation.server,
        environment: output::environment(warnings),
        worker: (0, 1),
        gate: None,
        live,
        stop,
    };
    let ran = execute(setup).await;
    showing.end().await;
    let (mut report, server) = ran?;
    if options.verify {
        verify(&mut report, server).await?;
    }
    output::write(&report, outputs)
}

/// Beside the sockets: executable, libraries, the runtime, HTTP connections.
const FILES_BESIDE: u64 = 300;

/// What the run goes on with all the same, for the report.
async fn preflight(users: usize, options: &ServerOptions) -> Vec<String> {
    let asked = Doctor {
        users: users as u64,
        workers: u64::from(options.sharing.workers.unwrap_or(1)),
        target: options.target.clone(),
        src_net: options.src_net,
        server_pid: options.server_pid,
        data: None,
        pin: options.pin,
        json: false,
    };
    examine(&crate::machine::Root::default(), &asked).await.warnings()
}

/// Told before anything is opened: half a run says nothing.
fn enough_files(users: usize, options: &ServerOptions) -> Result<(), RunError> {
    let workers = u64::from(options.sharing.workers.or(options.sharing.expect).unwrap_or(1).max(1));
    let needed = (users as u64).div_ceil(workers) + FILES_BESIDE;
    match crate::machine::doctor::nofile(&crate::machine::Root::default()) {
        Some((soft, _)) if needed > soft => Err(RunError::Preflight(format!(
            "{needed} files are needed in one process, {soft} are allowed (ulimit -n); share the run with --workers {}",
            (users as u64).div_ceil(soft.saturating_sub(FILES_BESIDE).max(1))
        ))),
        _ => Ok(()),
    }
}

/// The server's own proof counts as the last finding.
async fn verify(report: &mut Report, server: Option<Server>) -> Result<(), RunError> {
    let Some(Server::Launched(mut launched)) = server else {
        return Err(RunError::Usage("--verify needs a server that was started here".into()));
    };
    let verified = launched.verify().await.map_err(|error| RunError::Infrastructure(error.to_string()))?;
    if !verified.holds {
        report.verdict = Verdict::Fail;
        report.exit_code = EXIT_INCORRECT;
        report.reasons.insert(0, format!("wenzhen verify: {}", verified.said));
    }
    Ok(())
}
