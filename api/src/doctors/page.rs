//! A doctor's page (FND-10): certification, profile, prices, hours, what he treats. Its reviews have a route of their own.

use super::{
    hours::Period,
    list,
    model::{DoctorCard, DoctorId},
    presence, queries,
};
use crate::{
    catalogue::Disease,
    http::{Json, Path, Problem},
    state::App,
};
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(super) struct DoctorPage {
    #[serde(flatten)]
    card: DoctorCard,
    biography: String,
    licence: Licence,
    /// Identity and licence were both verified (实名认证).
    certified: bool,
    hours: Vec<Period>,
    diseases: Vec<Disease>,
}

#[derive(Serialize, ToSchema)]
struct Licence {
    /// `1103****0421`
    number_masked: String,
    verified: bool,
}

/// A doctor's page.
#[utoipa::path(
    get, path = "/api/doctors/{id}", tag = "doctors", params(("id" = uuid::Uuid, Path, description = "`DoctorCard.id`, not `user_id`")),
    responses((status = 200, body = DoctorPage), (status = 404, body = crate::http::ProblemBody))
)]
pub(super) async fn get(State(app): State<App>, Path(id): Path<DoctorId>) -> Result<Json<DoctorPage>, Problem> {
    let row = queries::find(&app, id).await?.ok_or_else(Problem::not_found)?;
    let presence = presence::online_now(&app).await?;
    Ok(Json(DoctorPage {
        biography: row.biography.clone(),
        licence: Licence { number_masked: row.licence_number_masked.clone(), verified: row.licence_verified_at.is_some() },
        certified: row.licence_verified_at.is_some() && row.identity_verified_at.is_some(),
        hours: queries::hours(&app, id).await?,
        diseases: queries::diseases(&app, id).await?,
        card: list::card(&app, row, &presence).await?,
    }))
}
