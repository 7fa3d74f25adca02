//! What a doctor says about himself (DOC-06) and whether he takes new patients (DOC-08).
//! Only unverified words: a body that names anything else is refused, so that nobody believes he changed his title.

use super::{
    model::{DepartmentRef, DoctorId, Title},
    queries,
};
use crate::{
    authz::Actor,
    catalogue,
    http::{Fields, Json, Problem},
    sql,
    state::App,
};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(super) struct Profile {
    #[schema(value_type = Uuid)]
    id: DoctorId,
    name: String,
    title: Title,
    title_label: &'static str,
    department: DepartmentRef,
    hospital: String,
    licence_number_masked: String,
    licence_verified: bool,
    avatar_url: Option<String>,
    expertise: String,
    biography: String,
    accepting: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileChange {
    #[schema(min_length = 2, max_length = 500)]
    expertise: String,
    #[schema(max_length = 2000)]
    biography: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Availability {
    accepting: bool,
}

/// The signed-in doctor's own page.
#[utoipa::path(get, path = "/api/doctor/profile", tag = "doctors", responses((status = 200, body = Profile)))]
pub(super) async fn get(State(app): State<App>, actor: Actor) -> Result<Json<Profile>, Problem> {
    let row = queries::own(&app, &actor).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(Profile {
        id: row.id,
        name: row.name,
        title: row.title,
        title_label: row.title.label(),
        department: DepartmentRef { id: row.department_id, name: row.department_name },
        hospital: row.hospital,
        licence_number_masked: row.licence_number_masked,
        licence_verified: row.licence_verified_at.is_some(),
        avatar_url: row.avatar_url,
        expertise: row.expertise,
        biography: row.biography,
        accepting: row.accepting,
    }))
}

/// Changes what a doctor says about himself.
///
/// What was verified (name, title, licence) is not changed here.
#[utoipa::path(
    put, path = "/api/doctor/profile", tag = "doctors", request_body = ProfileChange,
    responses((status = 200, body = Profile), (status = 422, body = crate::http::ProblemBody))
)]
pub(super) async fn change(State(app): State<App>, actor: Actor, Json(change): Json<ProfileChange>) -> Result<Json<Profile>, Problem> {
    let mut fields = Fields::default();
    fields.length(&change.expertise, 2..=500, "expertise");
    fields.length(&change.biography, 0..=2000, "biography");
    fields.finish()?;
    let mut tx = app.db.begin().await?;
    let changed = tx
        .run_one(sql!(
            "UPDATE doctors SET expertise = $1, biography = $2, profile_changed_at = $3 WHERE user_id = $4 AND tenant_id = $5",
            change.expertise.trim(),
            change.biography.trim(),
            app.clock.now(),
            actor.user,
            actor.tenant
        ))
        .await?;
    if !changed {
        return Err(Problem::not_found());
    }
    catalogue::touch(&mut tx, actor.tenant).await?;
    app.commit(tx).await?;
    get(State(app), actor).await
}

/// Stops or resumes taking new patients; running consultations go on.
#[utoipa::path(put, path = "/api/doctor/availability", tag = "doctors", request_body = Availability, responses((status = 200, body = Profile)))]
pub(super) async fn set_availability(
    State(app): State<App>,
    actor: Actor,
    Json(availability): Json<Availability>,
) -> Result<Json<Profile>, Problem> {
    let mut tx = app.db.begin().await?;
    tx.run(sql!(
        "UPDATE doctors SET accepting = $1 WHERE user_id = $2 AND tenant_id = $3",
        availability.accepting,
        actor.user,
        actor.tenant
    ))
    .await?;
    app.commit(tx).await?;
    get(State(app), actor).await
}
