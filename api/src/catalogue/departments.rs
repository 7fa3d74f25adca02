//! The department list by category (FND-06) and the disease list (ADM-07).

use super::{Department, Disease, queries};
use crate::{
    http::{Json, Problem, Query},
    state::App,
};
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DiseaseQuery {
    /// Part of the name, or the beginning of the ICD-10 code.
    q: Option<String>,
}

/// All departments.
#[utoipa::path(get, path = "/api/departments", tag = "catalogue", responses((status = 200, body = [Department])))]
pub(super) async fn list(State(app): State<App>) -> Result<Json<Vec<Department>>, Problem> {
    Ok(Json(queries::departments(&app).await?))
}

/// The hospital's list of diseases.
#[utoipa::path(
    get, path = "/api/diseases", tag = "catalogue", params(DiseaseQuery), responses((status = 200, body = [Disease]))
)]
pub(super) async fn list_diseases(State(app): State<App>, Query(query): Query<DiseaseQuery>) -> Result<Json<Vec<Disease>>, Problem> {
    let mut diseases = queries::diseases(&app).await?;
    if let Some(wanted) = query.q.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        let code = wanted.to_uppercase();
        diseases.retain(|disease| disease.name.contains(wanted) || disease.code.starts_with(&code));
    }
    Ok(Json(diseases))
}
