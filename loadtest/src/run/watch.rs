//! Once a second: the machine's probes into the series, and the live picture to whoever shows it.

use super::Run;
use crate::machine::probe::Probe;
use crate::report::data::Live;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

pub(super) async fn every_second(run: Arc<Run>, probe: Arc<Mutex<Probe>>, live: watch::Sender<Live>) {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        seconds.tick().await;
        let sample = probe.lock().unwrap_or_else(PoisonError::into_inner).sample();
        run.meters.gauge(*run.outstanding.borrow());
        let second = run.meters.second(run.clock.micros(), |second| sample.fill(second));
        // Nobody may be looking.
        let _ = live.send(picture(&run, second));
    }
}

fn picture(run: &Run, second: crate::report::data::Second) -> Live {
    let now = run.clock.micros();
    let began = run.start.get().is_some();
    let phase = match run.meters.phase(now) {
        _ if !began => "connecting",
        _ if now >= run.end_micros() => "reading back",
        Some(phase) => phase.name(),
        None => "connecting",
    };
    let accounts = run.accounts().clone();
    let mut counts = run.ledger(|ledger| ledger.counts.clone());
    (counts.asked, counts.opened, counts.never_tried) = (accounts.asked, accounts.opened, accounts.never_tried);
    Live {
        scenario: run.plan.name.clone(),
        phase: phase.into(),
        targets: run.targets.iter().map(crate::connect::Target::url).collect(),
        users: run.plan.users() as u64,
        elapsed_s: if began { now.saturating_sub(run.start_micros()) as f64 / 1e6 } else { 0.0 },
        total_s: run.plan.length.0.as_secs_f64(),
        second,
        recent: run.meters.recent(120),
        counts,
        not_opened: accounts.not_opened,
        failures: run.meters.failures(),
        metrics_ms: run.meters.percentiles(),
        marks: run.meters.marks(),
    }
}
