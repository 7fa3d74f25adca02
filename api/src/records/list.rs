//! `GET /api/records`: the patient's signed records, newest first (REC-01, REC-02, REG-50).

use super::store::{self, RecordRow};
use crate::{
    authz::Actor,
    consultations::{self, ConsultationId, Kind},
    http::{Json, Page, PageQuery, Problem, Query},
    sql,
    state::App,
};
use axum::extract::State;
use chat::ids::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(super) struct Line {
    #[schema(value_type = uuid::Uuid)]
    consultation_id: ConsultationId,
    kind: Kind,
    doctor_name: String,
    title_label: String,
    department: String,
    /// Impression or diagnosis.
    summary: String,
    #[schema(value_type = i64)]
    completed_at: Timestamp,
}

/// The patient's signed records, the newest first.
#[utoipa::path(get, path = "/api/records", tag = "records", params(PageQuery), responses((status = 200, body = Page<Line>)))]
pub(super) async fn list(State(app): State<App>, actor: Actor, Query(page): Query<PageQuery>) -> Result<Json<Page<Line>>, Problem> {
    let (limit, offset) = page.window()?;
    let rows: Vec<RecordRow> = app
        .db
        .all(sql!(
            "SELECT * FROM records WHERE patient_id = $1 AND tenant_id = $2 AND signed_at IS NOT NULL
             ORDER BY signed_at DESC, consultation_id DESC LIMIT $3 OFFSET $4",
            actor.user,
            actor.tenant,
            limit,
            offset
        ))
        .await?;
    let total = app
        .db
        .scalar(sql!(
            "SELECT COUNT(*) FROM records WHERE patient_id = $1 AND tenant_id = $2 AND signed_at IS NOT NULL",
            actor.user,
            actor.tenant
        ))
        .await?;
    let mut lines = Vec::with_capacity(rows.len());
    for row in &rows {
        lines.extend(line(&app, &actor, row).await?);
    }
    Ok(Json(page.answer(lines, total.unwrap_or(0))))
}

async fn line(app: &App, actor: &Actor, row: &RecordRow) -> Result<Option<Line>, Problem> {
    let (Some(completed_at), Some(it)) = (row.signed_at, consultations::find_own(app, actor, row.consultation_id).await?) else {
        return Ok(None);
    };
    let content = store::open(app, row).await?;
    let doctor = consultations::doctor_lite(app, it.doctor).await?;
    Ok(Some(Line {
        consultation_id: it.id,
        kind: it.kind,
        doctor_name: doctor.name,
        title_label: doctor.title_label,
        department: doctor.department.name,
        summary: content.diagnosis.or(content.impression).unwrap_or_default(),
        completed_at,
    }))
}
