//! Sessions (ACC-13, U-09): refresh by rotation, the list of one's devices, ending one.
//!
//! A refresh token met a second time was copied: the whole family is revoked (REFRESH_REUSED), the thief's and the owner's.

use super::{model::Session, queries, revocation, tokens};
use crate::{
    authz::Actor,
    db::Tx,
    http::{Code, Json, Path, Problem, codes},
    row, sql,
    state::App,
};
use axum::extract::State;
use chat::ids::{SessionId, Timestamp, UserId};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Unknown, expired, used or revoked: one answer.
const INVALID_REFRESH: Code = Code::new(401, "invalid_refresh_token", "登录已过期，请重新登录");

#[derive(Deserialize, ToSchema)]
pub(super) struct RefreshRequest {
    /// Null for a session that is not remembered: it renews by the access token in the header while that is alive.
    refresh_token: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct SessionItem {
    id: Uuid,
    device: String,
    #[schema(value_type = i64)]
    created_at: Timestamp,
    #[schema(value_type = i64)]
    last_seen_at: Timestamp,
    /// The one that is asking.
    current: bool,
}

row! {
    struct SessionRow {
        id: SessionId,
        user_id: UserId,
        remember: bool,
        idle_until: Timestamp,
        absolute_until: Option<Timestamp>,
        revoked_at: Option<Timestamp>,
    }
    struct TokenRow { session_id: SessionId, used_at: Option<Timestamp> }
    struct ListRow { id: SessionId, device_label: String, created_at: Timestamp, last_seen_at: Timestamp }
}

/// New tokens for a living session.
///
/// With a `refresh_token` no header is needed. Without one (a session that is not to be remembered) the access token of the header renews
/// itself while it is alive. A refresh token is used once: met a second time, it ends the session.
#[utoipa::path(
    post, path = "/api/auth/refresh", tag = "accounts", request_body = RefreshRequest, security((), ("access_token" = [])),
    responses((status = 200, body = Session), (status = 401, body = crate::http::ProblemBody, description = "`invalid_refresh_token`"))
)]
pub(super) async fn refresh(
    State(app): State<App>,
    actor: Option<Actor>,
    Json(request): Json<RefreshRequest>,
) -> Result<Json<Session>, Problem> {
    let mut tx = app.db.begin().await?;
    let session = match (&request.refresh_token, actor) {
        (Some(token), _) => match use_token(&app, &mut tx, token).await? {
            Used::First(session) => session,
            Used::Again(session) => {
                revocation::revoke_session(&app, &mut tx, session, "refresh_reused").await?;
                app.commit(tx).await?;
                revocation::announce(&app, &[session]);
                tracing::warn!(%session, "accounts.refresh_token_reused");
                return Err(INVALID_REFRESH.into());
            }
            Used::Never => return Err(INVALID_REFRESH.into()),
        },
        (None, Some(actor)) => actor.session,
        (None, None) => return Err(INVALID_REFRESH.into()),
    };
    let (user, remember) = prolong(&app, &mut tx, session).await?;
    let fresh = match &request.refresh_token {
        Some(_) if remember => Some(tokens::issue_refresh(&app, &mut tx, session).await?),
        _ => None,
    };
    app.commit(tx).await?;
    let account =
        queries::find_by_id_unscoped(&app, user).await?.filter(|account| account.suspended_at.is_none()).ok_or(INVALID_REFRESH)?;
    Ok(Json(tokens::answer(&app, &account, session, fresh).await?))
}

enum Used {
    First(SessionId),
    Again(SessionId),
    Never,
}

async fn use_token(app: &App, tx: &mut Tx, token: &str) -> Result<Used, Problem> {
    let hash = tokens::refresh_hash(app, token);
    // The update comes first: of two uses at once one wins, the other is a reuse.
    let first =
        tx.run_one(sql!("UPDATE refresh_tokens SET used_at = $1 WHERE token_hash = $2 AND used_at IS NULL", app.clock.now(), hash)).await?;
    let row: Option<TokenRow> = tx.first(sql!("SELECT session_id, used_at FROM refresh_tokens WHERE token_hash = $1", hash)).await?;
    Ok(match row {
        Some(row) if first && row.used_at.is_some() => Used::First(row.session_id),
        Some(row) => Used::Again(row.session_id),
        None => Used::Never,
    })
}

/// Checks idle and absolute end, then slides the idle end.
async fn prolong(app: &App, tx: &mut Tx, session: SessionId) -> Result<(UserId, bool), Problem> {
    let now = app.clock.now();
    let row: Option<SessionRow> =
        tx.first(sql!("SELECT id, user_id, remember, idle_until, absolute_until, revoked_at FROM sessions WHERE id = $1", session)).await?;
    let alive = |row: &SessionRow| row.revoked_at.is_none() && row.idle_until > now && row.absolute_until.is_none_or(|until| until > now);
    let row = row.filter(alive).ok_or(INVALID_REFRESH)?;
    let idle_ms = app.config.accounts.staff_idle_s * 1000;
    let idle_until = match row.absolute_until {
        None => now.plus_ms(app.config.accounts.patient_session_days * 24 * 60 * 60 * 1000),
        Some(end) => now.plus_ms(idle_ms).min(end),
    };
    tx.run(sql!("UPDATE sessions SET last_seen_at = $1, idle_until = $2 WHERE id = $3", now, idle_until, row.id)).await?;
    Ok((row.user_id, row.remember))
}

/// Ends this session (ACC-13).
#[utoipa::path(post, path = "/api/auth/logout", tag = "accounts", responses((status = 204)))]
pub(super) async fn logout(State(app): State<App>, actor: Actor) -> Result<StatusCode, Problem> {
    let mut tx = app.db.begin().await?;
    revocation::revoke_session(&app, &mut tx, actor.session, "logout").await?;
    app.commit(tx).await?;
    revocation::announce(&app, &[actor.session]);
    Ok(StatusCode::NO_CONTENT)
}

/// One's own living sessions, the latest used first.
#[utoipa::path(get, path = "/api/auth/sessions", tag = "accounts", responses((status = 200, body = Vec<SessionItem>)))]
pub(super) async fn list(State(app): State<App>, actor: Actor) -> Result<Json<Vec<SessionItem>>, Problem> {
    let now = app.clock.now();
    let rows: Vec<ListRow> = app
        .db
        .all(sql!(
            "SELECT id, device_label, created_at, last_seen_at FROM sessions
             WHERE user_id = $1 AND revoked_at IS NULL AND idle_until > $2 AND (absolute_until IS NULL OR absolute_until > $2)
             ORDER BY last_seen_at DESC, id DESC",
            actor.user,
            now
        ))
        .await?;
    let item = |row: ListRow| SessionItem {
        id: row.id.0,
        device: row.device_label,
        created_at: row.created_at,
        last_seen_at: row.last_seen_at,
        current: row.id == actor.session,
    };
    Ok(Json(rows.into_iter().map(item).collect()))
}

/// Ends one of one's own sessions: its sockets close within a second, its tokens stop.
#[utoipa::path(
    delete, path = "/api/auth/sessions/{id}", tag = "accounts", params(("id" = Uuid, Path, description = "`SessionItem.id`")),
    responses((status = 204), (status = 404, body = crate::http::ProblemBody))
)]
pub(super) async fn end(State(app): State<App>, actor: Actor, Path(id): Path<SessionId>) -> Result<StatusCode, Problem> {
    let mut tx = app.db.begin().await?;
    if !revocation::revoke_own_session(&app, &mut tx, &actor, id).await? {
        return Err(codes::NOT_FOUND.into());
    }
    app.commit(tx).await?;
    revocation::announce(&app, &[id]);
    Ok(StatusCode::NO_CONTENT)
}
