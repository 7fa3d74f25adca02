//! `Idempotency-Key` on POSTs that create: the first answer is kept and given again, another body under the same key is refused.
//!
//! The row is inserted first, in the transaction of the effect: it is the lock against a double submit. Call [`find`] before
//! judging the request and [`begin`] in the transaction, return what they replay, else do the work and [`finish`] before the commit.

use crate::{
    authz::Actor,
    db::{DbError, Tx},
    http::{Keyed, Problem, codes},
    keys::Place,
    row, sql,
    state::App,
};
use serde::{Serialize, de::DeserializeOwned};

row! {
    struct Kept { body_hash: Vec<u8>, answer_sealed: Option<Vec<u8>> }
}

/// What was answered to this very request before. Looked at before the rules of the business: they may judge otherwise by now, and a
/// repeat gets the first answer all the same, another body its conflict. Not yet the lock: that is [`begin`].
pub async fn find<T, A>(app: &App, actor: &Actor, scope: &'static str, request: &Keyed<T>) -> Result<Option<A>, Problem>
where
    A: DeserializeOwned,
{
    let Some(key) = &request.key else { return Ok(None) };
    let kept: Option<Kept> = app
        .db
        .first(sql!(
            "SELECT body_hash, answer_sealed FROM idempotency WHERE user_id = $1 AND scope = $2 AND idempotency_key = $3",
            actor.user,
            scope,
            key
        ))
        .await?;
    match kept {
        Some(kept) => replay(app, actor, request, kept).await.map(Some),
        None => Ok(None),
    }
}

/// Takes the key. `Some(answer)` when this very request was answered since [`find`].
pub async fn begin<T, A>(app: &App, tx: &mut Tx, actor: &Actor, scope: &'static str, request: &Keyed<T>) -> Result<Option<A>, Problem>
where
    A: DeserializeOwned,
{
    let Some(key) = &request.key else { return Ok(None) };
    let insert = sql!(
        "INSERT INTO idempotency (user_id, scope, idempotency_key, body_hash, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (user_id, scope, idempotency_key) DO NOTHING",
        actor.user,
        scope,
        key,
        request.body_hash,
        app.clock.now()
    );
    if tx.run_one(insert).await? {
        return Ok(None);
    }
    let kept: Kept = tx
        .one(sql!(
            "SELECT body_hash, answer_sealed FROM idempotency WHERE user_id = $1 AND scope = $2 AND idempotency_key = $3",
            actor.user,
            scope,
            key
        ))
        .await?;
    replay(app, actor, request, kept).await.map(Some)
}

async fn replay<T, A>(app: &App, actor: &Actor, request: &Keyed<T>, kept: Kept) -> Result<A, Problem>
where
    A: DeserializeOwned,
{
    if kept.body_hash != request.body_hash {
        return Err(codes::IDEMPOTENCY_CONFLICT.into());
    }
    let sealed = kept.answer_sealed.ok_or(DbError::Missing)?;
    let answer = app.keys.person(actor.user).await?.open(place(actor), &sealed)?;
    Ok(serde_json::from_slice(&answer).map_err(DbError::from)?)
}

/// Keeps the answer, in the same transaction. Sealed: answers hold what people told their doctor.
pub async fn finish<T, A>(app: &App, tx: &mut Tx, actor: &Actor, scope: &'static str, request: &Keyed<T>, answer: &A) -> Result<(), Problem>
where
    A: Serialize,
{
    let Some(key) = &request.key else { return Ok(()) };
    let answer = serde_json::to_vec(answer).map_err(DbError::from)?;
    let sealed = app.keys.person(actor.user).await?.seal(&app.entropy, place(actor), &answer);
    tx.run(sql!(
        "UPDATE idempotency SET answer_sealed = $1 WHERE user_id = $2 AND scope = $3 AND idempotency_key = $4",
        sealed,
        actor.user,
        scope,
        key
    ))
    .await?;
    Ok(())
}

fn place(actor: &Actor) -> Place {
    Place { table: "idempotency", column: "answer", row: actor.user.0 }
}
