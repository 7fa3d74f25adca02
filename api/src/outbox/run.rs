//! Claims due messages and runs their handlers. A claim is a token with an expiry; every finish names it.

use super::{ATTEMPTS_MAX, CLAIM_MS, HandlerError, Message};
use crate::{db::DbError, row, sql, state::App};
use chat::ids::Timestamp;
use futures_util::future::join_all;
use uuid::Uuid;

/// Messages in the hands of one runner at once; each has a key of its own.
const BATCH: i64 = 16;
const BACK_OFF_MAX_MS: i64 = 15 * 60 * 1000;

row! {
    struct OutboxRow { topic: String, object_key: Uuid, payload: String, enqueued_at: Timestamp, attempts: i64 }
}

/// Tries the messages of a transaction that was just committed, in order. What fails or has to wait stays for the runner.
pub async fn try_now(app: &App, enqueued: Vec<(i64, Option<Uuid>)>) {
    let mut left = false;
    for (seq, claim) in enqueued {
        match claim {
            Some(claim) => left |= !try_claimed(app, seq, claim).await.unwrap_or_else(|error| log_failed_step(&error)),
            None => left = true,
        }
    }
    if left {
        app.outbox_wake.notify_one();
    }
}

/// Gives back every claim. Only for a process that knows that no other one lives: what is claimed was in the hands of a dead one.
pub async fn release_all(app: &App) -> Result<(), DbError> {
    let mut tx = app.db.begin().await?;
    tx.run(sql!("UPDATE outbox SET claim = NULL, claimed_until = NULL WHERE closed_at IS NULL AND claimed_until IS NOT NULL")).await?;
    tx.commit().await
}

/// Runs everything that is due, until nothing is; how many handlers ran.
pub async fn run_due(app: &App) -> Result<usize, DbError> {
    let mut ran = 0;
    loop {
        let due: Vec<i64> = due(app).await?;
        if due.is_empty() {
            return Ok(ran);
        }
        let results = join_all(due.into_iter().map(|seq| claim_and_run(app, seq))).await;
        let mut progress = 0;
        for result in results {
            progress += usize::from(result?);
        }
        if progress == 0 {
            return Ok(ran);
        }
        ran += progress;
    }
}

row! { struct Seq { seq: i64 } }

async fn due(app: &App) -> Result<Vec<i64>, DbError> {
    let rows: Vec<Seq> = app
        .db
        .all(sql!(
            "SELECT o.seq FROM outbox o
             WHERE o.closed_at IS NULL AND o.due_at <= $1 AND (o.claimed_until IS NULL OR o.claimed_until <= $1)
               AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.object_key = o.object_key AND p.closed_at IS NULL AND p.seq < o.seq)
             ORDER BY o.seq LIMIT $2",
            app.clock.now(),
            BATCH
        ))
        .await?;
    Ok(rows.into_iter().map(|row| row.seq).collect())
}

async fn claim_and_run(app: &App, seq: i64) -> Result<bool, DbError> {
    let now = app.clock.now();
    let claim = app.entropy.uuid(now);
    let mut tx = app.db.begin().await?;
    let claimed = tx
        .run_one(sql!(
            "UPDATE outbox SET claim = $1, claimed_until = $2
             WHERE seq = $3 AND closed_at IS NULL AND (claimed_until IS NULL OR claimed_until <= $4)",
            claim,
            now.plus_ms(CLAIM_MS),
            seq,
            now
        ))
        .await?;
    tx.commit().await?;
    if !claimed {
        return Ok(false);
    }
    run_claimed(app, seq, claim).await
}

/// False: an older message of the same key is still open, so this one has to wait its turn.
async fn try_claimed(app: &App, seq: i64, claim: Uuid) -> Result<bool, DbError> {
    let waits: Option<i64> = app
        .db
        .scalar(sql!(
            "SELECT COUNT(*) FROM outbox o WHERE o.seq = $1
               AND EXISTS (SELECT 1 FROM outbox p WHERE p.object_key = o.object_key AND p.closed_at IS NULL AND p.seq < o.seq)",
            seq
        ))
        .await?;
    if waits != Some(0) {
        release(app, seq, claim).await?;
        return Ok(false);
    }
    run_claimed(app, seq, claim).await
}

async fn release(app: &App, seq: i64, claim: Uuid) -> Result<(), DbError> {
    let mut tx = app.db.begin().await?;
    tx.run(sql!("UPDATE outbox SET claim = NULL, claimed_until = NULL WHERE seq = $1 AND claim = $2", seq, claim)).await?;
    tx.commit().await
}

async fn run_claimed(app: &App, seq: i64, claim: Uuid) -> Result<bool, DbError> {
    let row: Option<OutboxRow> = app
        .db
        .first(sql!(
            "SELECT topic, object_key, payload, enqueued_at, attempts FROM outbox WHERE seq = $1 AND claim = $2 AND closed_at IS NULL",
            seq,
            claim
        ))
        .await?;
    let Some(row) = row else { return Ok(true) };
    let attempt = row.attempts + 1;
    let message = Message { seq, topic: row.topic, key: row.object_key, payload: row.payload, attempt, enqueued_at: row.enqueued_at };
    let result = match app.topic(&message.topic) {
        Some(topic) => (topic.handle)(app.clone(), message.clone()).await,
        None => Err(HandlerError::Permanent("no handler is registered for this topic".into())),
    };
    close(app, &message, claim, result).await?;
    Ok(true)
}

async fn close(app: &App, message: &Message, claim: Uuid, result: Result<(), HandlerError>) -> Result<(), DbError> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let statement = match result {
        Ok(()) => sql!(
            "UPDATE outbox SET closed_at = $1, attempts = $2, claim = NULL, claimed_until = NULL WHERE seq = $3 AND claim = $4",
            now,
            message.attempt,
            message.seq,
            claim
        ),
        Err(HandlerError::Temporary(why)) if message.attempt < ATTEMPTS_MAX => {
            tracing::warn!(topic = %message.topic, seq = message.seq, attempt = message.attempt, error = %why, "outbox.retry");
            sql!(
                "UPDATE outbox SET due_at = $1, attempts = $2, last_error = $3, claim = NULL, claimed_until = NULL WHERE seq = $4 AND claim = $5",
                now.plus_ms(back_off_ms(message.attempt)),
                message.attempt,
                why,
                message.seq,
                claim
            )
        }
        Err(HandlerError::Temporary(why) | HandlerError::Permanent(why)) => {
            tracing::error!(topic = %message.topic, seq = message.seq, error = %why, "outbox.dead_letter");
            metrics::counter!("wenzhen_outbox_dead_total", "topic" => message.topic.clone()).increment(1);
            sql!(
                "UPDATE outbox SET closed_at = $1, dead = $2, attempts = $3, last_error = $4, claim = NULL, claimed_until = NULL
                 WHERE seq = $5 AND claim = $6",
                now,
                true,
                message.attempt,
                why,
                message.seq,
                claim
            )
        }
    };
    tx.run(statement).await?;
    tx.commit().await
}

fn back_off_ms(attempt: i64) -> i64 {
    1000_i64.saturating_mul(1 << attempt.clamp(1, 20)).min(BACK_OFF_MAX_MS)
}

fn log_failed_step(error: &DbError) -> bool {
    tracing::error!(error = %crate::http::causes(error), "outbox.step");
    false
}
