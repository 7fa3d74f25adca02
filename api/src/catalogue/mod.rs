//! Catalogue: what anybody may read about the hospital before signing in: itself, departments, diseases, announcements, notices.
//!
//! | who | may |
//! |---|---|
//! | anybody | read all of it |
//!
//! Routes: GET /api/hospital, /api/home, /api/notices, /api/departments, /api/diseases. Writing belongs to the administration and the demo.

mod departments;
mod home;
mod hospital;
mod model;
pub mod notices;
mod queries;

#[cfg(test)]
mod tests;

pub use model::{Announcement, Department, DepartmentId, Disease, DiseaseId, Hospital, SpecialService};
pub(crate) use queries::{
    departments, diseases, find_hospital, insert_announcement, insert_department, insert_disease, insert_hospital, insert_special_service,
    revision, touch,
};

use crate::{Slice, state::App};
use utoipa_axum::{router::OpenApiRouter, routes};

pub const SLICE: Slice = Slice { routes, topics: &[], timers: &[] };

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(hospital::get))
        .routes(routes!(home::get))
        .routes(routes!(notices::list))
        .routes(routes!(departments::list))
        .routes(routes!(departments::list_diseases))
}
