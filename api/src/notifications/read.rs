//! Marking as read (NTF-04): one or all of one's own. Marking again changes nothing.

use crate::{
    authz::Actor,
    http::{Path, Problem},
    sql,
    state::App,
};
use axum::extract::State;
use http::StatusCode;
use uuid::Uuid;

/// Marks one message as read; again changes nothing.
#[utoipa::path(
    post, path = "/api/notifications/{id}/read", tag = "notifications", params(("id" = Uuid, Path, description = "`Notification.id`")),
    responses((status = 204), (status = 404, body = crate::http::ProblemBody))
)]
pub(super) async fn mark_read(State(app): State<App>, actor: Actor, Path(id): Path<Uuid>) -> Result<StatusCode, Problem> {
    let mut tx = app.db.begin().await?;
    let found = tx
        .run_one(sql!(
            "UPDATE notifications SET read_at = COALESCE(read_at, $1) WHERE id = $2 AND user_id = $3",
            app.clock.now(),
            id,
            actor.user
        ))
        .await?;
    app.commit(tx).await?;
    if found { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found()) }
}

/// Marks all messages as read.
#[utoipa::path(post, path = "/api/notifications/read-all", tag = "notifications", responses((status = 204)))]
pub(super) async fn mark_all_read(State(app): State<App>, actor: Actor) -> Result<StatusCode, Problem> {
    let mut tx = app.db.begin().await?;
    tx.run(sql!("UPDATE notifications SET read_at = $1 WHERE user_id = $2 AND read_at IS NULL", app.clock.now(), actor.user)).await?;
    app.commit(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}
