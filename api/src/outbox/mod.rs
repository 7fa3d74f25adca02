//! The outbox: effects outside the database, written in the same transaction as the change that wants them.
//!
//! Each message is handled **at least once**; messages of one key in the order in which they were enqueued. Handlers are idempotent,
//! registered per topic in their slice, tried right after the commit and then with back-off; after [`ATTEMPTS_MAX`] a message is a
//! dead letter: it stays, is counted in the metrics and blocks nobody. Payloads that hold personal data are sealed by their slice.

mod run;

pub use run::{release_all, run_due, try_now};

use crate::{
    db::{DbError, Tx},
    sql,
    state::App,
};
use chat::ids::Timestamp;
use futures_util::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

/// About six hours of trying: 2 s, 4 s … capped at 15 minutes.
pub const ATTEMPTS_MAX: i64 = 32;
/// Longer than any handler takes; a claim that outlives it belonged to a process that died.
const CLAIM_MS: i64 = 60_000;

/// One kind of message and who handles it.
#[derive(Clone, Copy, Debug)]
pub struct Topic {
    /// `slice.word`.
    pub name: &'static str,
    pub handle: Handler,
    /// Tried before the request that caused it is answered. False for handlers that talk to somebody outside.
    pub inline: bool,
}

pub type Handler = fn(App, Message) -> BoxFuture<'static, Result<(), HandlerError>>;

#[derive(Clone)]
pub struct Message {
    /// Position in the outbox: stable over repeats, so a seed for deterministic ids.
    pub seq: i64,
    pub topic: String,
    pub key: Uuid,
    pub payload: String,
    /// From 1.
    pub attempt: i64,
    pub enqueued_at: Timestamp,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Message({} {} attempt {})", self.topic, self.seq, self.attempt)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    #[error("{0}")]
    Temporary(String),
    /// Repeating cannot help: a dead letter at once.
    #[error("{0}")]
    Permanent(String),
}

impl HandlerError {
    pub fn temporary(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::Temporary(crate::http::causes(error))
    }

    pub fn permanent(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::Permanent(crate::http::causes(error))
    }
}

impl From<DbError> for HandlerError {
    fn from(error: DbError) -> Self {
        Self::temporary(&error)
    }
}

impl From<crate::keys::KeyError> for HandlerError {
    fn from(error: crate::keys::KeyError) -> Self {
        Self::temporary(&error)
    }
}

impl From<crate::keys::Unsealable> for HandlerError {
    fn from(error: crate::keys::Unsealable) -> Self {
        Self::permanent(&error)
    }
}

impl Message {
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, HandlerError> {
        serde_json::from_str(&self.payload).map_err(|error| HandlerError::permanent(&error))
    }
}

/// Writes a message in the caller's transaction. `key` orders: usually the id of the object it is about.
pub async fn enqueue(app: &App, tx: &mut Tx, topic: &'static str, key: Uuid, payload: &impl Serialize) -> Result<(), DbError> {
    let now = app.clock.now();
    let payload = serde_json::to_string(payload)?;
    // An inline message is born claimed, which saves a write: this process tries it right after the commit.
    let inline = app.topic(topic).is_some_and(|topic| topic.inline);
    let claim = inline.then(|| app.entropy.uuid(now));
    let claimed_until = inline.then(|| now.plus_ms(CLAIM_MS));
    let seq: Option<i64> = tx
        .scalar(sql!(
            "INSERT INTO outbox (topic, object_key, payload, enqueued_at, due_at, attempts, claim, claimed_until)
             VALUES ($1, $2, $3, $4, $4, 0, $5, $6) RETURNING seq",
            topic,
            key,
            payload,
            now,
            claim,
            claimed_until
        ))
        .await?;
    tx.enqueued.push((seq.ok_or(DbError::Missing)?, claim));
    Ok(())
}

#[cfg(test)]
mod tests;
