//! One search box over doctors, departments and diseases (FND-01, FND-02): an index in the process, built from SQL at the first search.
//!
//! The index is a copy and never the truth: it is rebuilt when the catalogue's revision has moved, and what it finds is read from SQL.
//! Message bodies are never in it.

mod index;

#[cfg(test)]
mod tests;

use crate::{
    Slice,
    catalogue::{self, Department, Disease},
    db::DbError,
    doctors::{self, DoctorCard, DoctorId},
    http::{Fields, Json, Problem, Query},
    state::App,
};
use axum::extract::State;
use index::{Entry, EntryKind, Index};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, hash::Hash, sync::Arc};
use tokio::sync::Mutex;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

pub(crate) const QUERY_CHARS_MAX: usize = 50;
const DOCTORS_SHOWN_MAX: usize = 20;
const OTHERS_SHOWN_MAX: usize = 20;

pub const SLICE: Slice = Slice { routes, topics: &[], timers: &[] };

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(search))
}

/// The index of this process, empty until somebody searches.
#[derive(Debug, Default)]
pub struct Search(Mutex<Option<Loaded>>);

#[derive(Debug)]
struct Loaded {
    revision: i64,
    index: Arc<Index>,
}

#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    #[error("reading what can be searched")]
    Db(#[from] DbError),
    #[error("searching the index")]
    Index(#[from] tantivy::TantivyError),
    #[error("the indexing task ended early")]
    Task(#[from] tokio::task::JoinError),
}

impl From<SearchError> for Problem {
    fn from(error: SearchError) -> Self {
        Self::internal(&error)
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SearchQuery {
    /// Name, speciality, disease or department, or the initials of their pinyin; 1 to 50 characters. Names that fit come before looser hits.
    #[param(min_length = 1, max_length = 50)]
    q: String,
}

#[derive(Serialize, ToSchema)]
struct Found {
    doctors: Vec<DoctorCard>,
    departments: Vec<Department>,
    diseases: Vec<Disease>,
}

/// One search over doctors, departments and diseases.
///
/// Best hits first; up to 20 of each.
#[utoipa::path(get, path = "/api/search", tag = "doctors", params(SearchQuery), responses((status = 200, body = Found)))]
async fn search(State(app): State<App>, Query(query): Query<SearchQuery>) -> Result<Json<Found>, Problem> {
    let mut fields = Fields::default();
    fields.length(&query.q, 1..=QUERY_CHARS_MAX, "q");
    fields.finish()?;
    let hits = find(&app, query.q.trim()).await?;
    let ids = |wanted: EntryKind| hits.iter().filter(move |(kind, _)| *kind == wanted).map(|(_, id)| *id);
    let doctors: Vec<DoctorId> = ids(EntryKind::Doctor).take(DOCTORS_SHOWN_MAX).map(DoctorId::from).collect();
    Ok(Json(Found {
        doctors: doctors::cards(&app, &doctors).await?,
        departments: ranked(catalogue::departments(&app).await?, |department| department.id.0, ids(EntryKind::Department)),
        diseases: ranked(catalogue::diseases(&app).await?, |disease| disease.id.0, ids(EntryKind::Disease)),
    }))
}

/// Doctors that fit, best first.
pub(crate) async fn doctors(app: &App, query: &str) -> Result<Vec<DoctorId>, SearchError> {
    let hits = find(app, query).await?;
    Ok(hits.into_iter().filter(|(kind, _)| *kind == EntryKind::Doctor).map(|(_, id)| DoctorId::from(id)).collect())
}

/// Those items whose ids were found, in the order of the finding.
fn ranked<T, K: Hash + Eq>(items: Vec<T>, id: impl Fn(&T) -> K, found: impl Iterator<Item = K>) -> Vec<T> {
    let mut by_id: HashMap<K, T> = items.into_iter().map(|item| (id(&item), item)).collect();
    found.filter_map(|id| by_id.remove(&id)).take(OTHERS_SHOWN_MAX).collect()
}

async fn find(app: &App, query: &str) -> Result<Vec<(EntryKind, Uuid)>, SearchError> {
    let index = current(app).await?;
    let query = query.to_owned();
    // The first Chinese word loads a dictionary: tens of milliseconds that belong off the async threads.
    Ok(tokio::task::spawn_blocking(move || index.find(&query)).await??)
}

/// The index of the newest revision; whoever comes while it is built waits for it.
async fn current(app: &App) -> Result<Arc<Index>, SearchError> {
    let mut kept = app.search.0.lock().await;
    // Read before the data: a change in between is in the index and only costs one more build.
    let revision = catalogue::revision(app).await?;
    if let Some(loaded) = kept.as_ref().filter(|loaded| loaded.revision == revision) {
        return Ok(Arc::clone(&loaded.index));
    }
    let entries = entries(app).await?;
    let index = Arc::new(tokio::task::spawn_blocking(move || Index::build(entries)).await??);
    *kept = Some(Loaded { revision, index: Arc::clone(&index) });
    Ok(index)
}

async fn entries(app: &App) -> Result<Vec<Entry>, DbError> {
    let mut entries = Vec::new();
    for doctor in doctors::searchable(app).await? {
        let text = format!("{} {} {}", doctor.department_name, doctor.expertise, doctor.biography);
        entries.push(Entry { kind: EntryKind::Doctor, id: doctor.id.0, name: doctor.name, within: doctor.department_name, text });
    }
    for department in catalogue::departments(app).await? {
        let text = format!("{} {}", department.category, department.summary);
        entries.push(Entry { kind: EntryKind::Department, id: department.id.0, name: department.name, within: String::new(), text });
    }
    for disease in catalogue::diseases(app).await? {
        entries.push(Entry { kind: EntryKind::Disease, id: disease.id.0, name: disease.name, within: String::new(), text: disease.code });
    }
    Ok(entries)
}
