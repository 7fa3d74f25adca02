//! One's own messages by time, with the category view (NTF-03), and how many are unread.

use super::{
    model::{Category, Link, Notification},
    notify::place,
};
use crate::{
    authz::Actor,
    http::{Json, Page, PageQuery, Problem, Query},
    keys::SecretKey,
    row, sql,
    state::App,
};
use axum::extract::State;
use chat::ids::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Absent: all.
    category: Option<Category>,
    /// Only unread ones.
    unread: Option<bool>,
    /// From 1 to 10000; absent = 1.
    #[param(minimum = 1, maximum = 10_000)]
    page: Option<u32>,
    /// 1 to 50; absent = 10.
    #[param(minimum = 1, maximum = 50)]
    page_size: Option<u32>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct UnreadCount {
    unread: i64,
}

row! {
    struct ListRow {
        id: Uuid,
        category: Category,
        title: String,
        text_sealed: Vec<u8>,
        link_object: Option<String>,
        link_id: Option<Uuid>,
        created_at: Timestamp,
        read_at: Option<Timestamp>,
    }
}

/// One's own messages, newest first.
#[utoipa::path(get, path = "/api/notifications", tag = "notifications", params(ListQuery), responses((status = 200, body = Page<Notification>)))]
pub(super) async fn list(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Notification>>, Problem> {
    let page = PageQuery { page: query.page, page_size: query.page_size };
    let (limit, offset) = page.window()?;
    let unread_only = query.unread.unwrap_or(false);
    let rows: Vec<ListRow> = app
        .db
        .all(sql!(
            "SELECT id, category, title, text_sealed, link_object, link_id, created_at, read_at FROM notifications
             WHERE user_id = $1 AND (CAST($2 AS TEXT) IS NULL OR category = $2) AND (read_at IS NULL OR NOT $3)
             ORDER BY created_at DESC, id DESC LIMIT $4 OFFSET $5",
            actor.user,
            query.category,
            unread_only,
            limit,
            offset
        ))
        .await?;
    let total: Option<i64> = app
        .db
        .scalar(sql!(
            "SELECT COUNT(*) FROM notifications
             WHERE user_id = $1 AND (CAST($2 AS TEXT) IS NULL OR category = $2) AND (read_at IS NULL OR NOT $3)",
            actor.user,
            query.category,
            unread_only
        ))
        .await?;
    let key = app.keys.person(actor.user).await?;
    let items = rows.into_iter().map(|row| open(&key, row)).collect::<Result<_, _>>()?;
    Ok(Json(page.answer(items, total.unwrap_or(0))))
}

/// How many are unread, for the badge.
#[utoipa::path(get, path = "/api/notifications/unread-count", tag = "notifications", responses((status = 200, body = UnreadCount)))]
pub(super) async fn unread_count(State(app): State<App>, actor: Actor) -> Result<Json<UnreadCount>, Problem> {
    let unread = app.db.scalar(sql!("SELECT COUNT(*) FROM notifications WHERE user_id = $1 AND read_at IS NULL", actor.user)).await?;
    Ok(Json(UnreadCount { unread: unread.unwrap_or(0) }))
}

fn open(key: &SecretKey, row: ListRow) -> Result<Notification, Problem> {
    Ok(Notification {
        id: row.id,
        category: row.category,
        text: key.open_text(place(row.id), &row.text_sealed)?,
        title: row.title,
        link: row.link_object.zip(row.link_id).map(|(object, id)| Link { object, id }),
        created_at: row.created_at,
        read_at: row.read_at,
    })
}
