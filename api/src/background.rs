//! The runners of one process: outbox, timers, revocations. Each wakes when called or twice a second, and stops at shutdown.

use crate::{accounts, consultations, db::DbError, ledger, outbox, state::App, timers};
use chat::log::MessageLog;
use std::{future::Future, time::Duration};
use tokio::sync::Notify;

/// Upper bound for noticing what another node wrote or what the clock made due (ACC-10: revocations within 500 ms).
const TICK: Duration = Duration::from_millis(500);

/// What a killed process held goes on at once, not when its claims run out: a patient who has paid does not wait for that.
pub(crate) async fn take_over(app: &App) -> Result<(), DbError> {
    match *app.log {
        // Its folder is locked: whoever has it open is alone.
        MessageLog::Embedded(_) => {
            outbox::release_all(app).await?;
            timers::release_all(app).await
        }
    }
}

pub(crate) fn start(app: &App) {
    app.tasks.spawn(consultations::follow_log(app.clone()));
    if let Some(simulator) = app.payments.simulator() {
        app.tasks.spawn(simulator.clone().run(app.shutdown.clone()));
    }
    app.tasks.spawn(ledger::check_hourly(app.clone()));
    run(app, "outbox", |app| &app.outbox_wake, |app| async move { outbox::run_due(&app).await.map(drop) });
    run(app, "timers", |app| &app.timers_wake, |app| async move { timers::fire_due(&app).await.map(drop) });
    run(app, "revocations", |app| app.revoked.wake(), |app| async move { accounts::poll_revocations(&app).await });
}

fn run<F>(app: &App, name: &'static str, wake: fn(&App) -> &Notify, step: fn(App) -> F)
where
    F: Future<Output = Result<(), DbError>> + Send + 'static,
{
    let app = app.clone();
    app.clone().tasks.spawn(async move {
        loop {
            if let Err(error) = step(app.clone()).await {
                tracing::error!(runner = name, error = %crate::http::causes(&error), "background.step");
            }
            tokio::select! {
                () = app.shutdown.cancelled() => return,
                _ = tokio::time::timeout(TICK, wake(&app).notified()) => {}
            }
        }
    });
}
