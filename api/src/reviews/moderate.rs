//! Content review (REV-02): staff with that function decide what is shown. The author is not told to them either.

use super::store::{self, ReviewRow, ReviewState};
use crate::{
    authz::Actor,
    consultations::{
        intake::{at_most, required},
        refuse,
    },
    doctors::{self, DoctorId},
    http::{Json, Page, PageQuery, Path, Problem, ProblemBody, Query, codes},
    state::App,
};
use axum::extract::State;
use chat::ids::Timestamp;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

const REASON_CHARS_MAX: usize = 200;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct StateQuery {
    /// Absent: `pending`.
    state: Option<ReviewState>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Hiding {
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReviewForModeration {
    id: Uuid,
    #[schema(value_type = Uuid)]
    doctor_id: DoctorId,
    score: i64,
    text: String,
    tags: Vec<String>,
    anonymous: bool,
    state: ReviewState,
    #[schema(value_type = i64)]
    created_at: Timestamp,
}

/// Reviews by the state of their moderation, the oldest first.
#[utoipa::path(
    get, path = "/api/admin/reviews", tag = "reviews", params(StateQuery, PageQuery),
    responses((status = 200, body = Page<ReviewForModeration>))
)]
pub(super) async fn list(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<StateQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ReviewForModeration>>, Problem> {
    let state = query.state.unwrap_or(ReviewState::Pending);
    let (rows, total) = store::page_by_state(&app.db, &actor, state, page.window()?).await?;
    Ok(Json(page.answer(rows.into_iter().map(for_moderation).collect(), total)))
}

/// Lets it through; the doctor's rating counts it from now on (REV-05).
#[utoipa::path(
    post, path = "/api/admin/reviews/{id}/show", tag = "reviews", params(("id" = Uuid, Path, description = "`ReviewForModeration.id`")),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody, description = "`version_conflict`"))
)]
pub(super) async fn show(State(app): State<App>, actor: Actor, Path(id): Path<Uuid>) -> Result<StatusCode, Problem> {
    decide(&app, &actor, id, ReviewState::Shown, None).await
}

/// Hides a review, with the reason; if it was shown, the doctor's rating counts it no longer.
#[utoipa::path(
    post, path = "/api/admin/reviews/{id}/hide", tag = "reviews", params(("id" = Uuid, Path, description = "`ReviewForModeration.id`")), request_body = Hiding,
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody, description = "`version_conflict`"))
)]
pub(super) async fn hide(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<Uuid>,
    Json(request): Json<Hiding>,
) -> Result<StatusCode, Problem> {
    let mut flaws = Vec::new();
    required(&mut flaws, "reason", &request.reason, REASON_CHARS_MAX);
    at_most(&mut flaws, "reason", &request.reason, REASON_CHARS_MAX);
    refuse(flaws)?;
    decide(&app, &actor, id, ReviewState::Hidden, Some(request.reason.trim())).await
}

async fn decide(app: &App, actor: &Actor, id: Uuid, to: ReviewState, reason: Option<&str>) -> Result<StatusCode, Problem> {
    let mut tx = app.db.begin().await?;
    let row = store::find(&mut tx, actor, id).await?.ok_or_else(Problem::not_found)?;
    if row.state == to {
        return Ok(StatusCode::NO_CONTENT);
    }
    if !store::decide(&mut tx, actor, &row, to, reason, app.clock.now()).await? {
        return Err(codes::VERSION_CONFLICT.into());
    }
    match (row.state, to) {
        (_, ReviewState::Shown) => doctors::count_rating(&mut tx, row.doctor_id, row.score, 1).await?,
        (ReviewState::Shown, _) => doctors::count_rating(&mut tx, row.doctor_id, row.score, -1).await?,
        _ => {}
    }
    app.commit(tx).await?;
    app.tell_changed(row.patient_id, "review", row.consultation_id.0);
    Ok(StatusCode::NO_CONTENT)
}

fn for_moderation(row: ReviewRow) -> ReviewForModeration {
    ReviewForModeration {
        id: row.id,
        doctor_id: row.doctor_id,
        score: row.score,
        tags: row.tags(),
        text: row.body,
        anonymous: row.anonymous,
        state: row.state,
        created_at: row.created_at,
    }
}
