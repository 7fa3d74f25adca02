//! CON-08: before a voice or video session both have to read the notice and accept it; until then calls are refused.

use super::{
    machine::State as Stage,
    neighbours,
    notice::{self, Consent},
    queries,
    rules::Channel,
    stored::ConsultationId,
    transition,
    trouble::words,
    view::{self, View},
};
use crate::{
    authz::Actor,
    http::{Json, Path, Problem, ProblemBody},
    outbox,
    state::App,
};
use axum::extract::State;
use chat::{errors::Code, ids::UserId, wire::CallMedia};
use serde::Deserialize;
use signaling::gate::CallRequest;
use utoipa::ToSchema;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AvConsentGiven {
    version: String,
    /// Hexadecimal SHA-256 of the notice's text.
    text_hash: String,
}

/// Either of the two accepts the notice for voice and video.
///
/// Possible while it is `paid_waiting` or `in_progress`. Both have to before a call can be made (CON-08).
#[utoipa::path(
    post, path = "/api/consultations/{id}/av-consent", tag = "consultations", params(("id" = uuid::Uuid, Path, description = "`Consultation.id`")),
    request_body = AvConsentGiven,
    responses((status = 200, body = View), (status = 409, body = ProblemBody, description = "`no_calls`: a consultation by text; `wrong_state`, `consent_outdated`"))
)]
pub(super) async fn give(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ConsultationId>,
    Json(request): Json<AvConsentGiven>,
) -> Result<Json<View>, Problem> {
    let accepted = Consent { kind: notice::AV_NOTICE.into(), version: request.version, text_hash: request.text_hash };
    let given = notice::check(&[notice::AV_NOTICE], &neighbours::notices_in_force(), &[accepted], actor.user, app.clock.now())?;
    let mut tx = app.db.begin().await?;
    let it = queries::find(&mut tx, &actor, id).await?.ok_or_else(Problem::not_found)?;
    if it.channel == Channel::Text {
        return Err(words::NO_CALLS.into());
    }
    if !matches!(it.state, Stage::PaidWaiting { .. } | Stage::InProgress { .. }) {
        return Err(words::WRONG_STATE.into());
    }
    for consent in &given {
        if queries::add_consent(&mut tx, it.id, consent).await? {
            outbox::enqueue(&app, &mut tx, transition::MOVED, it.id.0, &transition::Moved { version: it.version }).await?;
        }
    }
    app.commit(tx).await?;
    Ok(Json(view::show(&app, &actor, &it).await?))
}

/// What a call needs beyond membership: a running consultation whose channel was bought, and both consents.
pub async fn permit_call(app: App, request: CallRequest) -> Result<(), Code> {
    let unavailable = |_| Code::Unavailable;
    let it = queries::of_conversation_unscoped(&app.db, request.conversation).await.map_err(unavailable)?;
    // Conversations without a consultation (demo tools, customer service) are the log's business alone.
    let Some(it) = it else { return Ok(()) };
    if !matches!(it.state, Stage::InProgress { .. }) {
        return Err(Code::WrongState);
    }
    let bought = match request.media {
        CallMedia::Video => it.channel == Channel::Video,
        _ => it.channel != Channel::Text,
    };
    if !bought {
        return Err(Code::NoCalls);
    }
    let consents = queries::consents(&app.db, it.id).await.map_err(unavailable)?;
    let given = |user: UserId| consents.iter().any(|given| given.kind == notice::AV_NOTICE && given.user == user);
    if given(it.patient) && given(it.doctor_user) { Ok(()) } else { Err(Code::ConsentRequired) }
}
