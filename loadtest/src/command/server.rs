//! The installation of a run: one of ours, started here, or the targets that were named.

use crate::cli::ServerOptions;
use crate::connect::Target;
use crate::people;
use crate::run::RunError;
use crate::target::launched::{Launch, Limits};
use crate::target::{Foreign, Launched, Server, TargetError};

/// Where a run goes, and who takes part.
#[derive(Debug)]
pub(super) struct Installation {
    pub targets: Vec<Target>,
    /// Token lines of each group of people.
    pub lines: Vec<Vec<String>>,
    pub server: Option<Server>,
}

impl Installation {
    pub(super) fn people(&self) -> Option<usize> {
        match self.server {
            Some(Server::Launched(_)) => None,
            _ => Some(self.lines.iter().map(Vec::len).sum()),
        }
    }

    /// People for a server of ours, once it is known how many.
    pub(super) async fn mint(&mut self, users: usize) -> Result<(), RunError> {
        if let Some(Server::Launched(launched)) = &self.server
            && users > 0
        {
            self.lines = vec![launched.mint(users.next_multiple_of(2)).await.map_err(infrastructure)?];
        }
        Ok(())
    }
}

pub(super) async fn open(options: &ServerOptions, limits: Limits) -> Result<Installation, RunError> {
    if options.target.is_empty() {
        return launch(options, limits).await;
    }
    let targets = options.target.iter().map(|url| Target::parse(url)).collect::<Result<Vec<_>, _>>().map_err(RunError::Usage)?;
    if options.tokens.is_empty() {
        return Err(RunError::Usage("a target needs people: --tokens FILE from `wenzhen admin mint-tokens`".into()));
    }
    if options.tokens.len() > 1 && options.tokens.len() != targets.len() {
        return Err(RunError::Usage(format!("{} token files for {} targets: give one, or one each", options.tokens.len(), targets.len())));
    }
    let lines = options.tokens.iter().map(|path| people::read_lines(path)).collect::<Result<Vec<_>, _>>()?;
    let known = options.server_pid.is_some() || options.restart_command.is_some();
    let foreign = Foreign { url: targets[0].url(), pid: options.server_pid, restart_command: options.restart_command.clone() };
    Ok(Installation { targets, lines, server: known.then_some(Server::Foreign(foreign)) })
}

async fn launch(options: &ServerOptions, limits: Limits) -> Result<Installation, RunError> {
    let pin = if options.pin { Some(crate::target::Pin::halves().map_err(infrastructure)?) } else { None };
    if let Some(pin) = &pin {
        pin.pin_generator().map_err(infrastructure)?;
    }
    let launch = Launch { server_bin: options.server_bin.clone(), keep: options.keep.clone(), pin, limits };
    let launched = Launched::start(&launch).await.map_err(infrastructure)?;
    let target = Target::parse(launched.url()).map_err(RunError::Usage)?;
    Ok(Installation { targets: vec![target], lines: Vec::new(), server: Some(Server::Launched(launched)) })
}

fn infrastructure(error: TargetError) -> RunError {
    RunError::Infrastructure(super::with_causes(&error))
}
