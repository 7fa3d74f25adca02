//! Timers: durable rows `(kind, object, expected_state, due_at)`, driven by the injected clock.
//!
//! An object has at most one live timer of a kind: scheduling again replaces it. A timer fires at least once, never early;
//! a handler that finds the object in another state than expected does nothing. Handlers open their own transaction.

mod run;

pub use run::{fire_due, release_all};

use crate::{
    db::{DbError, Tx},
    outbox::HandlerError,
    sql,
    state::App,
};
use chat::ids::Timestamp;
use futures_util::future::BoxFuture;
use uuid::Uuid;

/// One kind of timer and what it does.
#[derive(Clone, Copy, Debug)]
pub struct TimerKind {
    /// `slice.word`.
    pub name: &'static str,
    pub fire: Fire,
}

pub type Fire = fn(App, Timer) -> BoxFuture<'static, Result<(), HandlerError>>;

#[derive(Clone, Debug)]
pub struct Timer {
    pub kind: String,
    pub object: Uuid,
    pub expected_state: String,
    pub due_at: Timestamp,
}

/// Sets the object's timer of this kind, in place of the one it had.
pub async fn schedule(
    app: &App,
    tx: &mut Tx,
    kind: &'static str,
    object: Uuid,
    expected_state: &str,
    due_at: Timestamp,
) -> Result<(), DbError> {
    let id = app.entropy.uuid(app.clock.now());
    tx.run(sql!(
        "INSERT INTO timers (id, kind, object, expected_state, due_at, retry_at, attempts) VALUES ($1, $2, $3, $4, $5, $5, 0)
         ON CONFLICT (kind, object) DO UPDATE SET id = excluded.id, expected_state = excluded.expected_state, due_at = excluded.due_at,
             retry_at = excluded.retry_at, attempts = 0, claim = NULL, claimed_until = NULL",
        id,
        kind,
        object,
        expected_state,
        due_at
    ))
    .await?;
    tx.timers_moved = true;
    Ok(())
}

/// Removes it; true when there was one.
pub async fn cancel(tx: &mut Tx, kind: &'static str, object: Uuid) -> Result<bool, DbError> {
    tx.run_one(sql!("DELETE FROM timers WHERE kind = $1 AND object = $2", kind, object)).await
}

#[cfg(test)]
mod tests;
