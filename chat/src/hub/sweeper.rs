//! The one timer of all sockets: heartbeats, patience with slow readers, token expiry. A socket has no timer of its own.

use super::Hub;
use std::sync::{Arc, Weak, atomic::Ordering};
use std::time::Duration;
use tokio::time::MissedTickBehavior;

const TICKS_BETWEEN_CLEANINGS: u32 = 256;

pub(super) fn start(hub: &Arc<Hub>) {
    let every = Duration::from_millis(u64::from(hub.limits.sweep_ms));
    tokio::spawn(run(Arc::downgrade(hub), every));
}

async fn run(hub: Weak<Hub>, every: Duration) {
    let mut interval = tokio::time::interval(every);
    // A stalled process must not count the stall against its clients.
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let Some(hub) = hub.upgrade() else { return };
        sweep(&hub);
    }
}

fn sweep(hub: &Hub) {
    let tick = hub.tick.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
    let now = hub.clock.now();
    let ticks = |ms: u32| ms.div_ceil(hub.limits.sweep_ms).max(1);
    let (heartbeat, patience) = (ticks(hub.limits.heartbeat_ms), ticks(hub.limits.no_progress_ms));
    let mut sockets = 0_u32;
    let mut lagging = 0_u32;
    hub.registry.for_each(|link| {
        link.sweep(tick, now, heartbeat, patience);
        sockets += 1;
        lagging += u32::from(link.mailbox.is_lagging());
    });
    metrics::gauge!("wenzhen_sockets").set(sockets);
    metrics::gauge!("wenzhen_sockets_lagging").set(lagging);
    if tick.is_multiple_of(TICKS_BETWEEN_CLEANINGS) {
        hub.revocations.forget_old(now);
    }
}
