//! Faults on the time line, done to the server while the load goes on; the phases follow from them.

use super::{Run, RunError};
use crate::machine::probe::Probe;
use crate::measure::Phase;
use crate::plan::{Fault, FaultKind};
use crate::target::Server;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Mutex as AsyncMutex;

impl Run {
    /// A lost socket is then what was asked for, not a failure of the server.
    pub fn fault_is_on(&self) -> bool {
        !*self.server_up.borrow()
            || *self.behind.borrow() > 0 && matches!(self.meters.phase(self.clock.micros()), Some(Phase::Fault | Phase::Recovery))
    }
}

pub(super) async fn inject(run: Arc<Run>, server: Arc<AsyncMutex<Option<Server>>>, probe: Arc<Mutex<Probe>>) -> Result<(), RunError> {
    let mut faults = run.plan.faults.clone();
    faults.sort_by_key(|fault| fault.at.0);
    for fault in faults {
        while run.start.get().is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        tokio::time::sleep_until(run.clock.at(run.start_micros() + fault.at.micros())).await;
        if let Some(server) = server.lock().await.as_mut() {
            one(&run, server, &probe, fault).await.map_err(|error| RunError::Infrastructure(format!("{fault}: {error}")))?;
        }
        let now = run.clock.micros();
        run.meters.enter(Phase::Recovery, now);
        run.meters.mark("ready", now);
        let mut behind = run.behind.subscribe();
        // The sender lives as long as the run; the end of the run ends the waiting.
        let recovered =
            tokio::time::timeout_at(run.clock.at(run.end_micros() + run.plan.patience.micros()), behind.wait_for(|count| *count == 0));
        if recovered.await.is_ok() {
            let now = run.clock.micros();
            run.meters.mark("all current", now);
            run.meters.enter(Phase::After, now);
        }
    }
    Ok(())
}

async fn one(run: &Arc<Run>, server: &mut Server, probe: &Mutex<Probe>, fault: Fault) -> Result<(), crate::target::TargetError> {
    let now = run.clock.micros();
    run.meters.enter(Phase::Fault, now);
    run.meters.mark(fault.to_string(), now);
    match fault.kind {
        FaultKind::Pause => {
            server.pause().await?;
            tokio::time::sleep(fault.lasting.0).await;
            server.resume().await?;
            return Ok(());
        }
        FaultKind::Kill9 => {
            run.server_up.send_replace(false);
            server.kill().await?;
        }
        FaultKind::Restart => {
            run.server_up.send_replace(false);
        }
    }
    server.restart().await?;
    probe.lock().unwrap_or_else(PoisonError::into_inner).set_server(server.pid());
    run.server_up.send_replace(true);
    Ok(())
}
