//! `GET /api/doctors/{id}/reviews`: what is shown of a doctor, to anybody (FND-10).

use super::store::{self, ReviewRow};
use crate::{
    accounts,
    doctors::DoctorId,
    http::{Json, Page, PageQuery, Path, Problem, Query},
    state::App,
};
use axum::extract::State;
use chat::ids::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

const DAY_MS: i64 = 86_400_000;

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct ShownReview {
    id: Uuid,
    score: i64,
    text: String,
    tags: Vec<String>,
    /// To the day: the minute would name the consultation.
    #[schema(value_type = i64)]
    created_at: Timestamp,
    /// `匿名用户`, or the family name with stars.
    author_label: String,
}

/// What is shown of the reviews of a doctor, the newest first.
#[utoipa::path(
    get, path = "/api/doctors/{id}/reviews", tag = "reviews", params(("id" = Uuid, Path, description = "`DoctorCard.id`, not `user_id`"), PageQuery),
    responses((status = 200, body = Page<ShownReview>))
)]
pub(super) async fn of_doctor(
    State(app): State<App>,
    Path(id): Path<DoctorId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ShownReview>>, Problem> {
    Ok(Json(shown_of(&app, id, page).await?))
}

/// Held back: while fewer than `reviews_shown_from` were let through in the period, those of the period are not shown.
async fn shown_of(app: &App, doctor: DoctorId, page: PageQuery) -> Result<Page<ShownReview>, Problem> {
    let rules = &app.config.consultations;
    let now = app.clock.now();
    let period_begins = now.plus_ms(-rules.review_period_ms);
    let fresh = store::shown_since(&app.db, doctor, period_begins).await?;
    // A demo has few patients: everything that was let through is shown.
    let shown_from = if app.config.demo { 1 } else { rules.reviews_shown_from };
    let before = if fresh >= shown_from { now.plus_ms(1) } else { period_begins };
    let (rows, total) = store::page_of_doctor(&app.db, doctor, before, page.window()?).await?;
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(shown(app, row).await?);
    }
    Ok(page.answer(items, total))
}

async fn shown(app: &App, row: ReviewRow) -> Result<ShownReview, Problem> {
    let name = if row.anonymous { None } else { accounts::find_person_unscoped(app, row.patient_id).await?.and_then(|person| person.name) };
    let author_label = name.and_then(|name| name.chars().next()).map_or_else(|| "匿名用户".to_owned(), |family| format!("{family}**"));
    let created_at = Timestamp(row.created_at.0 - row.created_at.0.rem_euclid(DAY_MS));
    Ok(ShownReview { id: row.id, score: row.score, tags: row.tags(), text: row.body, created_at, author_label })
}
