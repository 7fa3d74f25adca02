//! Every ten seconds, and at start: calls of the log that nobody here holds are taken up, and each held call looks at the log, at the
//! sockets of its people and at its lines. So a call ends even if every node that knew it died.

use super::{Order, Shared, ask_each, task::CallTask};
use std::{sync::Arc, time::Duration};

const EVERY: Duration = Duration::from_secs(10);

pub(super) async fn run(shared: Arc<Shared>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.tick().await; // the first one is immediate, and start has swept
    loop {
        tokio::select! {
            () = shared.stop.cancelled() => return,
            _ = ticks.tick() => once(&shared).await,
        }
    }
}

pub(super) async fn once(shared: &Arc<Shared>) {
    match shared.log.live_calls().await {
        Ok(live) => {
            for (conversation, call) in live {
                if let Some(orders) = shared.register(call.call, conversation) {
                    tokio::spawn(CallTask::restore(Arc::clone(shared), conversation, call, orders));
                }
            }
        }
        Err(error) => tracing::warn!(code = error.code(), "calls.sweep_failed"),
    }
    ask_each(shared.inboxes(|_| true), Order::Sweep).await;
    let now = shared.clock.now();
    shared.lines.sweep(now);
    shared.invites.retain(|_, bucket| !bucket.is_full(now));
}
