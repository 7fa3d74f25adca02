//! Claims due timers and fires them, oldest first.

use super::Timer;
use crate::{db::DbError, outbox::HandlerError, row, sql, state::App};
use chat::ids::Timestamp;
use uuid::Uuid;

const BATCH: i64 = 32;
const CLAIM_MS: i64 = 60_000;
const RETRY_MAX_MS: i64 = 60_000;

row! {
    struct TimerRow { id: Uuid, kind: String, object: Uuid, expected_state: String, due_at: Timestamp, attempts: i64 }
}

/// Gives back every claim. Only for a process that knows that no other one lives: what is claimed was in the hands of a dead one.
pub async fn release_all(app: &App) -> Result<(), DbError> {
    let mut tx = app.db.begin().await?;
    tx.run(sql!("UPDATE timers SET claim = NULL, claimed_until = NULL WHERE claimed_until IS NOT NULL")).await?;
    tx.commit().await
}

/// Fires everything due by the clock, until nothing is; how many fired.
pub async fn fire_due(app: &App) -> Result<usize, DbError> {
    let mut fired = 0;
    loop {
        let due = due(app).await?;
        if due.is_empty() {
            return Ok(fired);
        }
        for row in due {
            fired += usize::from(claim_and_fire(app, row).await?);
        }
    }
}

async fn due(app: &App) -> Result<Vec<TimerRow>, DbError> {
    app.db
        .all(sql!(
            "SELECT id, kind, object, expected_state, due_at, attempts FROM timers
             WHERE retry_at <= $1 AND (claimed_until IS NULL OR claimed_until <= $1) ORDER BY due_at, id LIMIT $2",
            app.clock.now(),
            BATCH
        ))
        .await
}

async fn claim_and_fire(app: &App, row: TimerRow) -> Result<bool, DbError> {
    let now = app.clock.now();
    let claim = app.entropy.uuid(now);
    let mut tx = app.db.begin().await?;
    let claimed = tx
        .run_one(sql!(
            "UPDATE timers SET claim = $1, claimed_until = $2 WHERE id = $3 AND (claimed_until IS NULL OR claimed_until <= $4)",
            claim,
            now.plus_ms(CLAIM_MS),
            row.id,
            now
        ))
        .await?;
    tx.commit().await?;
    if !claimed {
        return Ok(false);
    }
    let timer = Timer { kind: row.kind.clone(), object: row.object, expected_state: row.expected_state, due_at: row.due_at };
    let result = match app.timer_kind(&row.kind) {
        Some(kind) => (kind.fire)(app.clone(), timer).await,
        None => Err(HandlerError::Permanent("no handler is registered for this kind of timer".into())),
    };
    finish(app, row.id, &row.kind, claim, row.attempts + 1, result).await?;
    Ok(true)
}

/// The row is named by id and claim: a handler that scheduled the next timer of this kind has replaced both.
async fn finish(app: &App, id: Uuid, kind: &str, claim: Uuid, attempt: i64, result: Result<(), HandlerError>) -> Result<(), DbError> {
    let mut tx = app.db.begin().await?;
    match result {
        Ok(()) => tx.run(sql!("DELETE FROM timers WHERE id = $1 AND claim = $2", id, claim)).await?,
        Err(error) => {
            // A timer stands between a person and his money or doctor: it is never given up, only slowed down.
            tracing::error!(kind, attempt, error = %error, "timers.retry");
            let wait = 1000_i64.saturating_mul(1 << attempt.clamp(0, 10)).min(RETRY_MAX_MS);
            tx.run(sql!(
                "UPDATE timers SET retry_at = $1, attempts = $2, claim = NULL, claimed_until = NULL WHERE id = $3 AND claim = $4",
                app.clock.now().plus_ms(wait),
                attempt,
                id,
                claim
            ))
            .await?
        }
    };
    tx.commit().await
}
