//! `POST /api/consultations/{id}/continue` (CON-15): a free follow-up question to the same doctor, as a consultation of its own
//! that is linked to the first. It costs nothing, so it starts where a paid one stands after capture.

use super::{
    can,
    commands::{self, Side},
    create, intake,
    machine::State as Stage,
    neighbours::{self, Told},
    notice::{self, Consent, Given},
    queries,
    rules::Channel,
    stored::{self, Consultation, ConsultationId},
    trouble::{Trouble, words},
    view::{self, View},
};
use crate::{
    authz::Actor,
    http::{Json, Path, Problem, ProblemBody},
    state::App,
};
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FollowUp {
    /// What has happened since.
    #[serde(default)]
    #[schema(max_length = 2000)]
    text: String,
    /// Only needed when a notice has changed since the first consultation (REG-07).
    #[serde(default)]
    consents: Vec<Consent>,
}

/// A free follow-up question to the same doctor (CON-15).
///
/// It is a consultation of its own by text, `paid_waiting` at once, whose `parent_id` is this one. `consent_required` and
/// `consent_outdated` name the kind of the notice in `detail`.
#[utoipa::path(
    post, path = "/api/consultations/{id}/continue", tag = "consultations", params(("id" = uuid::Uuid, Path, description = "`Consultation.id`")), request_body = FollowUp,
    responses(
        (status = 201, body = View),
        (status = 409, body = ProblemBody, description = "`wrong_state`, `no_follow_up_left`, `follow_up_too_late`, `consent_required`, `consent_outdated`")
    )
)]
pub(super) async fn continue_(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ConsultationId>,
    Json(request): Json<FollowUp>,
) -> Result<(StatusCode, Json<View>), Problem> {
    let mut flaws = Vec::new();
    intake::at_most(&mut flaws, "text", &request.text, intake::TEXT_CHARS_MAX);
    create::refuse(flaws)?;
    let before = queries::consents(&app.db, id).await?;
    let mut tx = app.db.begin().await?;
    let first = commands::own(&mut tx, &actor, id, Side::Patient).await?;
    check_quota(&app, &mut tx, &first).await?;
    let consents = consents(&app, &actor, &first, &before, &request.consents)?;
    let child = child_of(&app, &first, &request.text).await?;
    create::enter(&app, &mut tx, &child, &consents).await?;
    neighbours::notify(&app, &mut tx, child.doctor_user, Told::NewConsultation(child.channel), &child).await?;
    app.commit(tx).await?;
    let child = queries::get(&app.db, &actor, child.id).await?.unwrap_or(child);
    Ok((StatusCode::CREATED, Json(view::show(&app, &actor, &child).await?)))
}

async fn check_quota(app: &App, tx: &mut crate::db::Tx, first: &Consultation) -> Result<(), Problem> {
    let rules = &app.config.consultations;
    let until = can::follow_up_until(first, rules.follow_up_within_ms).ok_or(words::WRONG_STATE)?;
    if app.clock.now() >= until {
        return Err(words::FOLLOW_UP_TOO_LATE.into());
    }
    if queries::follow_ups_used(tx, first.id).await? >= i64::from(rules.follow_ups_free) {
        return Err(words::NO_FOLLOW_UP_LEFT.into());
    }
    Ok(())
}

/// REG-07: each session has its consents. What was agreed to before holds while its text is still in force; else it is asked again.
fn consents(app: &App, actor: &Actor, first: &Consultation, before: &[Given], fresh: &[Consent]) -> Result<Vec<Given>, Problem> {
    let mut accepted = fresh.to_vec();
    accepted.extend(before.iter().map(|given| Consent {
        kind: given.kind.clone(),
        version: given.version.clone(),
        text_hash: notice::hex(&given.text_hash),
    }));
    let in_force = neighbours::notices_in_force();
    Ok(notice::check(&notice::required(first.kind), &in_force, &accepted, actor.user, app.clock.now())?)
}

async fn child_of(app: &App, first: &Consultation, text: &str) -> Result<Consultation, Trouble> {
    let now = app.clock.now();
    let id: ConsultationId = app.entropy.id(now);
    let mut intake = first.intake(&app.keys).await?;
    if !text.trim().is_empty() {
        intake.description = text.trim().to_owned();
    }
    let proof = first.proof(&app.keys).await?;
    let mut child = Consultation {
        id,
        parent: Some(first.id),
        channel: Channel::Text,
        conversation: app.entropy.id(now),
        version: 1,
        price_fen: 0,
        meets_conditions: None,
        created_at: now,
        paid_at: Some(now),
        accepted_at: None,
        sealed: stored::seal_texts(&app.keys, &app.entropy, (first.patient, id), &intake, proof.as_ref()).await?,
        ..first.clone()
    };
    child.state = Stage::paid(&child.terms(&app.config.consultations), now);
    Ok(child)
}
