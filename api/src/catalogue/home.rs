//! The first screen in one answer (FND-03, FND-04, FND-05): a slow line pays for one round trip, not five.

use super::{Announcement, Department, Hospital, SpecialService, queries};
use crate::{
    doctors::{self, DoctorCard},
    http::{Json, Problem},
    state::App,
};
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(super) struct Home {
    /// Null in an installation that nobody has filled yet.
    hospital: Option<Hospital>,
    hot_departments: Vec<Department>,
    special_services: Vec<SpecialService>,
    hot_doctors: Vec<DoctorCard>,
    announcements: Vec<Announcement>,
}

/// The first screen in one answer.
#[utoipa::path(get, path = "/api/home", tag = "catalogue", responses((status = 200, body = Home)))]
pub(super) async fn get(State(app): State<App>) -> Result<Json<Home>, Problem> {
    let mut hot_departments = queries::departments(&app).await?;
    hot_departments.retain(|department| department.hot);
    Ok(Json(Home {
        hospital: queries::find_hospital(&app).await?,
        hot_departments,
        special_services: queries::special_services(&app).await?,
        hot_doctors: doctors::hot(&app).await?,
        announcements: queries::announcements(&app).await?,
    }))
}
