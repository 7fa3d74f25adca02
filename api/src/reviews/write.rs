//! `POST /api/consultations/{id}/reviews` (REV-01): once, within the window, by the patient who was served.

use super::store::{self, OwnReview, ReviewRow, ReviewState};
use crate::{
    authz::Actor,
    consultations::{
        self, ConsultationId,
        intake::{Flaw, at_most},
        trouble::words,
    },
    http::{Json, Path, Problem, ProblemBody},
    state::App,
};
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

const TEXT_CHARS_MAX: usize = 500;
const TAG_CHARS_MAX: usize = 12;
const TAGS_MAX: usize = 8;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewReview {
    /// 1 to 5.
    #[schema(minimum = 1, maximum = 5)]
    score: i64,
    #[serde(default)]
    #[schema(max_length = 500)]
    text: String,
    /// Up to 8, each of 1 to 12 characters.
    #[serde(default)]
    #[schema(max_items = 8)]
    tags: Vec<String>,
    /// True unless said otherwise: the public label then shows no part of the name.
    #[serde(default = "yes")]
    anonymous: bool,
}

fn yes() -> bool {
    true
}

/// The patient judges a consultation, once.
///
/// It is shown after moderation.
#[utoipa::path(
    post, path = "/api/consultations/{id}/reviews", tag = "reviews", params(("id" = uuid::Uuid, Path, description = "`Consultation.id`")), request_body = NewReview,
    responses(
        (status = 201, body = OwnReview),
        (status = 409, body = ProblemBody, description = "`wrong_state`, `review_too_late`, `already_reviewed`")
    )
)]
pub(super) async fn review(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ConsultationId>,
    Json(request): Json<NewReview>,
) -> Result<(StatusCode, Json<OwnReview>), Problem> {
    consultations::refuse(flaws(&request))?;
    let it = consultations::find_own(&app, &actor, id).await?.filter(|it| it.patient == actor.user).ok_or_else(Problem::not_found)?;
    let now = app.clock.now();
    let until = consultations::review_until(&it, app.config.consultations.review_within_ms).ok_or(words::WRONG_STATE)?;
    if now >= until {
        return Err(words::REVIEW_TOO_LATE.into());
    }
    let row = ReviewRow {
        id: app.entropy.uuid(now),
        consultation_id: id,
        doctor_id: it.doctor,
        patient_id: actor.user,
        score: request.score,
        body: request.text.trim().to_owned(),
        tags: request.tags.iter().map(|tag| tag.trim()).collect::<Vec<_>>().join("\n"),
        anonymous: request.anonymous,
        state: ReviewState::Pending,
        created_at: now,
    };
    let mut tx = app.db.begin().await?;
    if !store::insert(&mut tx, &actor, &row).await? {
        return Err(words::ALREADY_REVIEWED.into());
    }
    app.commit(tx).await?;
    let own = store::own(&app.db, id).await?.ok_or_else(Problem::not_found)?;
    Ok((StatusCode::CREATED, Json(own)))
}

fn flaws(request: &NewReview) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    if !(1..=5).contains(&request.score) {
        flaws.push(Flaw::new("score", "out_of_range", "请打 1 到 5 分"));
    }
    at_most(&mut flaws, "text", &request.text, TEXT_CHARS_MAX);
    if request.tags.len() > TAGS_MAX {
        flaws.push(Flaw::new("tags", "too_many", format!("最多 {TAGS_MAX} 个标签")));
    }
    for (index, tag) in request.tags.iter().enumerate() {
        at_most(&mut flaws, &format!("tags[{index}]"), tag, TAG_CHARS_MAX);
        if tag.trim().is_empty() || tag.contains('\n') {
            flaws.push(Flaw::new(format!("tags[{index}]"), "invalid", "标签不能为空或换行"));
        }
    }
    flaws
}
