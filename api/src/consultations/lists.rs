//! Reading: one consultation, the patient's list, the doctor's three lists with their counts (CON-15, DOC-01 to DOC-04).

use super::{
    queries::{self, Count},
    stored::{Consultation, ConsultationId},
    view::{self, Line, View},
};
use crate::{
    authz::Actor,
    http::{Json, Page, PageQuery, Path, Problem, Query},
    records,
    state::App,
    text_enum,
};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

text_enum! {
    pub enum Group { Active = "active", Done = "done" }
}

text_enum! {
    pub enum DoctorList { Waiting = "waiting", InProgress = "in_progress", Completed = "completed" }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct GroupQuery {
    /// Absent: both. `active`: until it is over.
    #[param(inline)]
    group: Option<Group>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    #[param(inline)]
    list: DoctorList,
}

/// What the workstation's badges show, by the channel that marks them (DOC-04).
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(super) struct Counts {
    waiting: i64,
    waiting_text: i64,
    waiting_voice: i64,
    waiting_video: i64,
    in_progress: i64,
    /// Over, and the record is still to be written.
    record_due: i64,
    completed: i64,
}

/// One consultation, to its patient and, once it is paid, to its doctor.
#[utoipa::path(
    get, path = "/api/consultations/{id}", tag = "consultations", params(("id" = uuid::Uuid, Path, description = "`Consultation.id`")),
    responses((status = 200, body = View), (status = 404, body = crate::http::ProblemBody))
)]
pub(super) async fn get(State(app): State<App>, actor: Actor, Path(id): Path<ConsultationId>) -> Result<Json<View>, Problem> {
    let it = queries::get(&app.db, &actor, id).await?.ok_or_else(Problem::not_found)?;
    if actor.user != it.patient {
        records::note_read(&app, &actor, it.id, "consultation").await?;
    }
    Ok(Json(view::show(&app, &actor, &it).await?))
}

/// The patient's own consultations, the newest first.
#[utoipa::path(
    get, path = "/api/consultations", tag = "consultations", params(GroupQuery, PageQuery),
    responses((status = 200, body = Page<Line>))
)]
pub(super) async fn list_own(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<GroupQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Line>>, Problem> {
    let active = query.group.map(|group| group == Group::Active);
    let (items, total) = queries::page_of_patient(&app.db, &actor, active, page.window()?).await?;
    Ok(Json(page.answer(lines(&app, &actor, &items).await?, total)))
}

/// One of the doctor's three lists of consultations.
#[utoipa::path(
    get, path = "/api/doctor/consultations", tag = "consultations", params(ListQuery, PageQuery),
    responses((status = 200, body = Page<Line>))
)]
pub(super) async fn list_of_doctor(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<ListQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Line>>, Problem> {
    let window = page.window()?;
    let items = match query.list {
        DoctorList::Waiting => queries::waiting_of_doctor(&app.db, &actor, window).await?,
        DoctorList::InProgress => queries::in_progress_page(&app.db, &actor, window).await?,
        DoctorList::Completed => queries::completed_of_doctor(&app.db, &actor, window).await?,
    };
    let counts = counted(&queries::counts_of_doctor(&app.db, &actor).await?);
    let total = match query.list {
        DoctorList::Waiting => counts.waiting,
        DoctorList::InProgress => counts.in_progress + counts.record_due,
        DoctorList::Completed => counts.completed,
    };
    let ids: Vec<ConsultationId> = items.iter().map(|it| it.id).collect();
    records::note_reads(&app, &actor, &ids, "list").await?;
    Ok(Json(page.answer(lines(&app, &actor, &items).await?, total)))
}

/// How many consultations are in each of the doctor's lists.
#[utoipa::path(get, path = "/api/doctor/counts", tag = "consultations", responses((status = 200, body = Counts)))]
pub(super) async fn counts(State(app): State<App>, actor: Actor) -> Result<Json<Counts>, Problem> {
    Ok(Json(counted(&queries::counts_of_doctor(&app.db, &actor).await?)))
}

fn counted(rows: &[Count]) -> Counts {
    let mut counts = Counts::default();
    for row in rows {
        match row.state.as_str() {
            "paid_waiting" => {
                counts.waiting += row.n;
                match row.channel.as_str() {
                    "text" => counts.waiting_text += row.n,
                    "voice" => counts.waiting_voice += row.n,
                    _ => counts.waiting_video += row.n,
                }
            }
            "in_progress" | "ending" => counts.in_progress += row.n,
            "ended_no_record" => counts.record_due += row.n,
            _ => counts.completed += row.n,
        }
    }
    counts
}

async fn lines(app: &App, actor: &Actor, items: &[Consultation]) -> Result<Vec<Line>, Problem> {
    let mut lines = Vec::with_capacity(items.len());
    for it in items {
        lines.push(view::show_in_list(app, actor, it).await?);
    }
    Ok(lines)
}
