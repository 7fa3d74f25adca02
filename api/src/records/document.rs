//! `GET /api/consultations/{id}/record.pdf` (REC-02, U-15): the signed record on paper, with a watermark that names its viewer.

use super::{
    content::Content,
    pdf::{self, Fact, Issue, RecordDocument, Section},
    reads, store,
};
use crate::{
    authz::Actor,
    catalogue,
    consultations::{self, Consultation, ConsultationId, Kind},
    http::{Binary, Path, Problem, ProblemBody},
    state::App,
};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use chat::ids::Timestamp;
use http::header;

/// The signed record on paper, with a watermark that names its reader.
#[utoipa::path(
    get, path = "/api/consultations/{id}/record.pdf", tag = "records", params(("id" = uuid::Uuid, Path, description = "`Consultation.id`")),
    responses((status = 200, content_type = "application/pdf", body = Binary), (status = 404, body = ProblemBody, description = "`not_found`: also while it is not signed yet"))
)]
pub(super) async fn download(State(app): State<App>, actor: Actor, Path(id): Path<ConsultationId>) -> Result<Response, Problem> {
    let it = consultations::find_own(&app, &actor, id).await?.ok_or_else(Problem::not_found)?;
    let row = store::find(&app.db, id).await?.ok_or_else(Problem::not_found)?;
    let (Some(signed_at), Some(hash)) = (row.signed_at, row.signed_hash.as_deref()) else { return Err(Problem::not_found()) };
    if actor.user != it.patient {
        reads::note_read(&app, &actor, id, "record_pdf").await?;
    }
    let content = store::open(&app, &row).await?;
    let document = document(&app, &actor, &it, content, (signed_at, consultations::hex(hash))).await?;
    let bytes = tokio::task::spawn_blocking(move || pdf::render(&document))
        .await
        .map_err(|error| Problem::internal(&error))?
        .map_err(|error| Problem::internal(&error))?;
    let headers = [
        (header::CONTENT_TYPE, "application/pdf"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"record.pdf\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, bytes).into_response())
}

async fn document(
    app: &App,
    actor: &Actor,
    it: &Consultation,
    content: Content,
    (signed_at, content_hash): (Timestamp, String),
) -> Result<RecordDocument, Problem> {
    let now = app.clock.now();
    let doctor = consultations::doctor_lite(app, it.doctor).await?;
    let patient = consultations::patient_lite(app, it.patient, now).await?;
    let viewer = if actor.user == it.patient { patient.name.clone() } else { doctor.name.clone() };
    let hospital = catalogue::find_hospital(app).await?.map_or(doctor.hospital, |hospital| hospital.name);
    let intake = it.intake(&app.keys).await?;
    let mut facts = vec![
        fact("姓名", patient.name),
        fact("性别", sex(patient.sex.as_deref())),
        fact("年龄", patient.age.map_or_else(|| "—".to_owned(), |age| format!("{age}岁"))),
        fact("科室", doctor.department.name),
        fact("问诊方式", format!("{}{}", consultations::channel_label(it.channel), consultations::kind_label(it.kind))),
        fact("问诊时间", pdf::shanghai_time(it.accepted_at.unwrap_or(it.created_at))),
    ];
    let mut sections =
        vec![section("主诉", intake.symptoms), section("现病史", intake.description), section("既往史", intake.past_history)];
    if let Some(proof) = it.proof(&app.keys).await? {
        facts.push(fact("既往诊断机构", proof.institution));
        facts.push(fact("既往就诊日期", proof.visited_on));
        sections.push(section("既往诊断", proof.diagnosis));
    }
    let Content { impression, diagnosis, diagnosis_code, symptom_analysis, basis, advice, medication_advice, references } = content;
    sections.push(section("病情分析", symptom_analysis));
    match it.kind {
        Kind::Advice => sections.push(section("初步印象", impression.unwrap_or_default())),
        Kind::ReturnVisit => {
            let code = diagnosis_code.map(|code| format!("（{code}）")).unwrap_or_default();
            sections.push(section("诊断", format!("{}{code}", diagnosis.unwrap_or_default())));
        }
    }
    sections.extend([section("依据", basis), section("处理建议", advice), section("用药建议", medication_advice)]);
    sections.push(section("参考资料", references.join("\n")));
    sections.retain(|section| !section.text.trim().is_empty());
    Ok(RecordDocument {
        hospital,
        title: if it.kind == Kind::Advice { "健康咨询记录" } else { "复诊病历" }.to_owned(),
        order_no: consultations::order_no(app, it).await?.unwrap_or_else(|| it.id.to_string()),
        facts,
        sections,
        doctor: format!("{} {}", doctor.name, doctor.title_label),
        signed_at,
        content_hash,
        issue: Issue { viewer, at: now },
    })
}

fn fact(label: &str, value: String) -> Fact {
    Fact { label: label.to_owned(), value }
}

fn section(heading: &str, text: String) -> Section {
    Section { heading: heading.to_owned(), text }
}

fn sex(sex: Option<&str>) -> String {
    match sex {
        Some("male") => "男",
        Some("female") => "女",
        _ => "—",
    }
    .to_owned()
}
