//! The hospital's public face. An installation that nobody has filled yet has none.

use super::{Hospital, queries};
use crate::{
    http::{Json, Problem},
    state::App,
};
use axum::extract::State;

/// The hospital.
///
/// `not_found` in an installation that nobody has filled yet.
#[utoipa::path(get, path = "/api/hospital", tag = "catalogue", responses((status = 200, body = Hospital)))]
pub(super) async fn get(State(app): State<App>) -> Result<Json<Hospital>, Problem> {
    queries::find_hospital(&app).await?.map(Json).ok_or_else(Problem::not_found)
}
