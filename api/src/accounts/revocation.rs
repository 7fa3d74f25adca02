//! Revoked sessions: written in SQL, known to every node within half a second.
//!
//! An access token outlives its session by ten minutes at most, so that long is how long a revocation is remembered in memory.

use crate::{
    authz::Actor,
    db::{DbError, Tx},
    row, sql,
    state::App,
};
use chat::{
    errors::CloseCode,
    ids::{SessionId, Timestamp, UserId},
};
use dashmap::DashMap;
use std::sync::Arc;
use tokio::sync::Notify;

/// Longer than an access token lives, with the clocks of the nodes apart.
const REMEMBERED_MS: i64 = 12 * 60 * 1000;
/// A row committed late carries a time from before its commit: polls look back this far.
const POLL_OVERLAP_MS: i64 = 30_000;

/// Sessions whose tokens are refused although they have not expired.
#[derive(Clone, Debug, Default)]
pub struct Revoked(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    sessions: DashMap<SessionId, Timestamp>,
    wake: Notify,
}

impl Revoked {
    pub fn contains(&self, session: SessionId) -> bool {
        self.0.sessions.contains_key(&session)
    }

    pub(crate) fn wake(&self) -> &Notify {
        &self.0.wake
    }

    /// True when it was news.
    fn insert(&self, session: SessionId, at: Timestamp) -> bool {
        self.0.sessions.insert(session, at).is_none()
    }

    fn forget_before(&self, at: Timestamp) {
        self.0.sessions.retain(|_, revoked_at| *revoked_at >= at);
    }

    fn newest(&self) -> Option<Timestamp> {
        self.0.sessions.iter().map(|entry| *entry.value()).max()
    }
}

row! { struct RevokedRow { id: SessionId, revoked_at: Timestamp } }

/// Picks up what this and other nodes have revoked and closes the sockets.
pub(crate) async fn poll_revocations(app: &App) -> Result<(), DbError> {
    let horizon = app.clock.now().plus_ms(-REMEMBERED_MS);
    let after = app.revoked.newest().map_or(horizon, |newest| newest.plus_ms(-POLL_OVERLAP_MS).max(horizon));
    let rows: Vec<RevokedRow> = app.db.all(sql!("SELECT id, revoked_at FROM sessions WHERE revoked_at > $1", after)).await?;
    for row in rows {
        refuse(app, row.id, row.revoked_at);
    }
    app.revoked.forget_before(horizon);
    Ok(())
}

/// After the commit: this node knows at once.
pub(super) fn announce(app: &App, sessions: &[SessionId]) {
    for session in sessions {
        refuse(app, *session, app.clock.now());
    }
}

fn refuse(app: &App, session: SessionId, at: Timestamp) {
    if app.revoked.insert(session, at) {
        app.hub.close_session(session, CloseCode::Revoked);
    }
}

pub(super) async fn revoke_session(app: &App, tx: &mut Tx, session: SessionId, why: &'static str) -> Result<(), DbError> {
    tx.run(sql!(
        "UPDATE sessions SET revoked_at = $1, revoked_why = $2 WHERE id = $3 AND revoked_at IS NULL",
        app.clock.now(),
        why,
        session
    ))
    .await?;
    Ok(())
}

/// False when it is not his, or not alive.
pub(super) async fn revoke_own_session(app: &App, tx: &mut Tx, actor: &Actor, session: SessionId) -> Result<bool, DbError> {
    tx.run_one(sql!(
        "UPDATE sessions SET revoked_at = $1, revoked_why = 'ended_by_owner' WHERE id = $2 AND user_id = $3 AND revoked_at IS NULL",
        app.clock.now(),
        session,
        actor.user
    ))
    .await
}

/// All sessions of the person but the one that is asking; which they were.
pub(super) async fn revoke_others(app: &App, tx: &mut Tx, actor: &Actor, why: &'static str) -> Result<Vec<SessionId>, DbError> {
    let now = app.clock.now();
    tx.run(sql!(
        "UPDATE sessions SET revoked_at = $1, revoked_why = $2 WHERE user_id = $3 AND id <> $4 AND revoked_at IS NULL",
        now,
        why,
        actor.user,
        actor.session
    ))
    .await?;
    revoked_at(tx, actor.user, now).await
}

async fn revoked_at(tx: &mut Tx, user: UserId, at: Timestamp) -> Result<Vec<SessionId>, DbError> {
    let rows: Vec<RevokedRow> =
        tx.all(sql!("SELECT id, revoked_at FROM sessions WHERE user_id = $1 AND revoked_at = $2", user, at)).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}
