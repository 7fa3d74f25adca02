//! What the two people do to a consultation: cancel, accept, reject, terminate, end.
//!
//! Every command is one transition; the machine decides, the answer is the consultation as it stands afterwards.

use super::{
    intake,
    machine::Event,
    queries,
    rules::TerminateReason,
    stored::{Consultation, ConsultationId},
    transition,
    trouble::{Trouble, words},
    view::{self, View},
};
use crate::{
    authz::Actor,
    db::Tx,
    failpoint,
    http::{Json, Path, Problem, ProblemBody},
    records,
    state::App,
};
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

const REASON_CHARS_MAX: usize = 500;

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Acceptance {
    /// Return visits: the doctor's judgement, stored with the consultation (REG-03). Only `true` begins one.
    meets_return_visit_conditions: Option<bool>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rejection {
    /// The patient reads it (CON-12).
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Termination {
    reason_code: TerminateReason,
    #[serde(default)]
    #[schema(max_length = 500)]
    detail: String,
}

/// The patient gives it up before the doctor has accepted.
///
/// What was paid goes back in full.
#[utoipa::path(
    post, path = "/api/consultations/{id}/cancel", tag = "consultations", params(("id" = uuid::Uuid, Path, description = "`Consultation.id`")),
    responses((status = 200, body = View), (status = 409, body = ProblemBody, description = "`wrong_state`"))
)]
pub(super) async fn cancel(State(app): State<App>, actor: Actor, Path(id): Path<ConsultationId>) -> Result<Json<View>, Problem> {
    let mut tx = app.db.begin().await?;
    let it = own(&mut tx, &actor, id, Side::Patient).await?;
    let it = transition::step(&app, &mut tx, it, &Event::Cancel, Some(actor.user)).await?;
    done(&app, &actor, tx, it).await
}

/// The doctor accepts; he becomes a member of the conversation.
#[utoipa::path(
    post, path = "/api/consultations/{id}/accept", tag = "consultations", params(("id" = uuid::Uuid, Path, description = "`Consultation.id`")), request_body = Acceptance,
    responses(
        (status = 200, body = View),
        (status = 409, body = ProblemBody, description = "`wrong_state`, `doctor_full`, `return_visit_conditions_not_met`")
    )
)]
pub(super) async fn accept(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ConsultationId>,
    Json(request): Json<Acceptance>,
) -> Result<Json<View>, Problem> {
    let mut tx = app.db.begin().await?;
    let mut it = own(&mut tx, &actor, id, Side::Doctor).await?;
    if queries::in_progress_of_doctor(&mut tx, actor.user).await? >= app.config.consultations.doctor_in_progress_max {
        return Err(words::DOCTOR_FULL.into());
    }
    let judged = request.meets_return_visit_conditions;
    it.meets_conditions = judged;
    let event = Event::Accept { meets_return_visit_conditions: judged };
    let it = transition::step(&app, &mut tx, it, &event, Some(actor.user)).await?;
    done(&app, &actor, tx, it).await
}

/// The doctor declines, with a reason; what was paid goes back in full.
#[utoipa::path(
    post, path = "/api/consultations/{id}/reject", tag = "consultations", params(("id" = uuid::Uuid, Path, description = "`Consultation.id`")), request_body = Rejection,
    responses(
        (status = 200, body = View), (status = 409, body = ProblemBody, description = "`wrong_state`"),
        (status = 422, body = ProblemBody, description = "`reason_missing`, `invalid_field`")
    )
)]
pub(super) async fn reject(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ConsultationId>,
    Json(request): Json<Rejection>,
) -> Result<Json<View>, Problem> {
    check_length("reason", &request.reason)?;
    let mut tx = app.db.begin().await?;
    let mut it = own(&mut tx, &actor, id, Side::Doctor).await?;
    it.seal_reason(&app.keys, &app.entropy, &request.reason).await?;
    let it = transition::step(&app, &mut tx, it, &Event::Reject { reason: request.reason }, Some(actor.user)).await?;
    done(&app, &actor, tx, it).await
}

/// The doctor breaks online care off at once (REG-05).
///
/// The patient is told where to go, the money goes back.
#[utoipa::path(
    post, path = "/api/consultations/{id}/terminate", tag = "consultations", params(("id" = uuid::Uuid, Path, description = "`Consultation.id`")),
    request_body = Termination,
    responses((status = 200, body = View), (status = 409, body = ProblemBody, description = "`wrong_state`"))
)]
pub(super) async fn terminate(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ConsultationId>,
    Json(request): Json<Termination>,
) -> Result<Json<View>, Problem> {
    check_length("detail", &request.detail)?;
    let mut tx = app.db.begin().await?;
    let mut it = own(&mut tx, &actor, id, Side::Doctor).await?;
    it.seal_reason(&app.keys, &app.entropy, &request.detail).await?;
    let event = Event::Terminate { reason: request.reason_code };
    let it = transition::step(&app, &mut tx, it, &event, Some(actor.user)).await?;
    done(&app, &actor, tx, it).await
}

/// The doctor ends it with a complete record, which is signed with that.
///
/// The answer may still say `ending`: `ended` follows when the conversation log holds the closing entry. A `record_incomplete` names the
/// lacking parts of the record in `fields`.
#[utoipa::path(
    post, path = "/api/consultations/{id}/end", tag = "consultations", params(("id" = uuid::Uuid, Path, description = "`Consultation.id`")),
    responses((status = 200, body = View), (status = 409, body = ProblemBody, description = "`wrong_state`, `record_incomplete`"))
)]
pub(super) async fn end(State(app): State<App>, actor: Actor, Path(id): Path<ConsultationId>) -> Result<Json<View>, Problem> {
    let mut tx = app.db.begin().await?;
    let it = own(&mut tx, &actor, id, Side::Doctor).await?;
    let missing = records::missing(&app, &mut tx, &it).await?;
    let event = Event::End { record_complete: missing.is_empty() };
    let already_closed = matches!(it.state, super::machine::State::EndedNoRecord { .. });
    let it = match transition::step(&app, &mut tx, it, &event, Some(actor.user)).await {
        Err(Trouble::Refused(super::machine::Refused::RecordIncomplete)) => {
            let fields = missing.iter().map(|path| intake::Flaw::new(*path, "required", "此项必填")).collect();
            let Err(problem) = super::create::refuse(fields) else { return Err(words::RECORD_INCOMPLETE.into()) };
            return Err(Problem { fields: problem.fields, ..Problem::new(words::RECORD_INCOMPLETE) });
        }
        other => other?,
    };
    if already_closed {
        // The saga ran when the window closed: only the record was missing.
        records::sign(&app, &mut tx, &it).await?;
    }
    failpoint::reach("closing.before_ending").await;
    done(&app, &actor, tx, it).await
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Patient,
    Doctor,
}

/// The consultation in which the actor stands on that side; anything else is not found.
pub(super) async fn own(tx: &mut Tx, actor: &Actor, id: ConsultationId, side: Side) -> Result<Consultation, Problem> {
    let it = queries::find(tx, actor, id).await?.ok_or_else(Problem::not_found)?;
    let stands = if side == Side::Patient { it.patient } else { it.doctor_user };
    if stands == actor.user { Ok(it) } else { Err(Problem::not_found()) }
}

async fn done(app: &App, actor: &Actor, tx: Tx, it: Consultation) -> Result<Json<View>, Problem> {
    app.commit(tx).await?;
    // The outbox has been tried: the saga may have carried it further than this transition.
    let it = queries::get(&app.db, actor, it.id).await?.unwrap_or(it);
    Ok(Json(view::show(app, actor, &it).await?))
}

fn check_length(path: &str, text: &str) -> Result<(), Problem> {
    let mut flaws = Vec::new();
    intake::at_most(&mut flaws, path, text, REASON_CHARS_MAX);
    super::create::refuse(flaws)
}
