//! `GET` and `PUT /api/consultations/{id}/record`: the draft, saved as the doctor types (REC-04), and the signed record.

use super::{content::Content, reads, store};
use crate::{
    authz::Actor,
    consultations::{self, ConsultationId, Stage, trouble::words},
    http::{Json, Path, Problem, ProblemBody},
    state::App,
};
use axum::extract::State;
use chat::ids::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(super) struct Record {
    #[schema(value_type = uuid::Uuid)]
    consultation_id: ConsultationId,
    kind: consultations::Kind,
    /// 0 = nothing is saved yet. To be sent back with the next save.
    version: i64,
    #[serde(flatten)]
    content: Content,
    /// Fields a complete record still lacks.
    missing: Vec<&'static str>,
    #[schema(value_type = Option<i64>)]
    updated_at: Option<Timestamp>,
    #[schema(value_type = Option<i64>)]
    completed_at: Option<Timestamp>,
    /// Hexadecimal SHA-256 the signature covers.
    signed_hash: Option<String>,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct Draft {
    /// `Record.version` of the last read, 0 at first.
    version: i64,
    #[serde(flatten)]
    content: DraftContent,
}

/// As the form sends it: every field may be there, whatever the kind.
#[derive(Deserialize, ToSchema)]
struct DraftContent {
    #[schema(max_length = 2000)]
    impression: Option<String>,
    #[schema(max_length = 2000)]
    diagnosis: Option<String>,
    #[schema(max_length = 200)]
    diagnosis_code: Option<String>,
    #[serde(default)]
    #[schema(max_length = 2000)]
    symptom_analysis: String,
    #[serde(default)]
    #[schema(max_length = 2000)]
    basis: String,
    #[serde(default)]
    #[schema(max_length = 2000)]
    advice: String,
    #[serde(default)]
    #[schema(max_length = 2000)]
    medication_advice: String,
    /// Up to 10, each of up to 200 characters.
    #[serde(default)]
    #[schema(max_items = 10)]
    references: Vec<String>,
}

impl From<DraftContent> for Content {
    fn from(draft: DraftContent) -> Self {
        // An empty text box is nothing written, not an empty diagnosis.
        let some = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        Self {
            impression: some(draft.impression),
            diagnosis: some(draft.diagnosis),
            diagnosis_code: some(draft.diagnosis_code),
            symptom_analysis: draft.symptom_analysis,
            basis: draft.basis,
            advice: draft.advice,
            medication_advice: draft.medication_advice,
            references: draft.references,
        }
    }
}

/// The doctor reads his draft or record; the patient the record, once it is signed.
#[utoipa::path(
    get, path = "/api/consultations/{id}/record", tag = "records", params(("id" = uuid::Uuid, Path, description = "`Consultation.id`")),
    responses((status = 200, body = Record), (status = 404, body = ProblemBody))
)]
pub(super) async fn get(State(app): State<App>, actor: Actor, Path(id): Path<ConsultationId>) -> Result<Json<Record>, Problem> {
    let it = consultations::find_own(&app, &actor, id).await?.ok_or_else(Problem::not_found)?;
    let row = store::find(&app.db, id).await?;
    if actor.user == it.patient && row.as_ref().is_none_or(|row| row.signed_at.is_none()) {
        return Err(Problem::not_found());
    }
    if actor.user != it.patient {
        reads::note_read(&app, &actor, id, "record").await?;
    }
    let content = match &row {
        Some(row) => store::open(&app, row).await?,
        None => Content::default(),
    };
    Ok(Json(Record {
        consultation_id: id,
        kind: it.kind,
        version: row.as_ref().map_or(0, |row| row.version),
        missing: content.missing(it.kind),
        content,
        updated_at: row.as_ref().map(|row| row.updated_at),
        completed_at: row.as_ref().and_then(|row| row.signed_at),
        signed_hash: row.and_then(|row| row.signed_hash).map(|hash| consultations::hex(&hash)),
    }))
}

/// Saves the draft over the version it was made from; a later version somewhere else is `version_conflict`.
#[utoipa::path(
    put, path = "/api/consultations/{id}/record", tag = "records", params(("id" = uuid::Uuid, Path, description = "`Consultation.id`")), request_body = Draft,
    responses(
        (status = 200, body = Record),
        (status = 409, body = ProblemBody, description = "`version_conflict`, `record_signed`, `wrong_state`"),
        (status = 422, body = ProblemBody, description = "`invalid_field`: too long, or not for this kind (REG-02)")
    )
)]
pub(super) async fn put(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ConsultationId>,
    Json(draft): Json<Draft>,
) -> Result<Json<Record>, Problem> {
    let it = consultations::find_own(&app, &actor, id).await?.ok_or_else(Problem::not_found)?;
    if it.doctor_user != actor.user {
        return Err(Problem::not_found());
    }
    let content = Content::from(draft.content);
    let mut flaws = content.flaws(it.kind);
    flaws.extend(content.unprintable());
    consultations::refuse(flaws)?;
    let mut tx = app.db.begin().await?;
    // Read again inside the transaction: it may have ended meanwhile.
    let it = consultations::find_own_in(&mut tx, &actor, id).await?.ok_or_else(Problem::not_found)?;
    if !matches!(it.state, Stage::InProgress { .. } | Stage::EndedNoRecord { .. }) {
        let signed = store::completed_at(&app.db, id).await?.is_some();
        return Err(if signed { words::RECORD_SIGNED } else { words::WRONG_STATE }.into());
    }
    store::save(&app, &mut tx, &it, &content, draft.version).await?;
    app.commit(tx).await?;
    get(State(app), actor, Path(id)).await
}
