//! Faults on the time line, done to the server while the load goes on; the phases follow from them.

use super::{Run, RunError};
use crate::machine::probe::Probe;
use crate::measure::{Metric, Phase};
use crate::plan::{Fault, FaultKind};
use crate::target::Server;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex as AsyncMutex;

/// For the first to notice that a fault took his socket.
const NOTICED_WITHIN: Duration = Duration::from_secs(2);

impl Run {
    /// A lost socket is then what was asked for, not a failure of the server.
    pub fn fault_is_on(&self) -> bool {
        !*self.server_up.borrow()
            || *self.behind.borrow() > 0 && matches!(self.meters.phase(self.clock.micros()), Some(Phase::Fault | Phase::Recovery))
    }

    /// From a fault that is over until everybody is current again, or the end.
    pub async fn recover(&self, fault_micros: u64) {
        let over_micros = self.clock.micros();
        self.meters.enter(Phase::Recovery, over_micros);
        let mut behind = self.behind.subscribe();
        // Who lost his socket may not know it yet.
        let noticed = tokio::time::timeout(NOTICED_WITHIN, behind.wait_for(|count| *count > 0)).await.is_ok();
        let give_up = self.clock.at(self.end_micros() + self.plan.patience.micros());
        // The sender lives as long as the run; the end of the run ends the waiting.
        if tokio::time::timeout_at(give_up, behind.wait_for(|count| *count == 0)).await.is_ok() {
            let now = if noticed { self.clock.micros() } else { over_micros };
            self.meters.record(Metric::AllCurrent, fault_micros, now);
            self.meters.mark("all current", now);
            self.meters.enter(Phase::After, now);
        }
    }
}

pub(super) async fn inject(run: Arc<Run>, server: Arc<AsyncMutex<Option<Server>>>, probe: Arc<Mutex<Probe>>) -> Result<(), RunError> {
    let mut faults = run.plan.faults.clone();
    faults.sort_by_key(|fault| fault.at.0);
    for fault in faults {
        while run.start.get().is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep_until(run.clock.at(run.start_micros() + fault.at.micros())).await;
        let began = run.clock.micros();
        run.meters.enter(Phase::Fault, began);
        run.meters.mark(fault.to_string(), began);
        if let Some(server) = server.lock().await.as_mut() {
            one(&run, server, &probe, fault).await.map_err(|error| RunError::Infrastructure(format!("{fault}: {error}")))?;
        }
        run.meters.mark("ready", run.clock.micros());
        run.recover(began).await;
    }
    Ok(())
}

async fn one(run: &Arc<Run>, server: &mut Server, probe: &Mutex<Probe>, fault: Fault) -> Result<(), crate::target::TargetError> {
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
    let ready_s = server.restart().await?;
    let now = run.clock.micros();
    run.meters.record(Metric::Ready, now.saturating_sub((ready_s * 1e6) as u64), now);
    probe.lock().unwrap_or_else(PoisonError::into_inner).set_server(server.pid());
    run.server_up.send_replace(true);
    Ok(())
}
