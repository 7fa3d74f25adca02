//! The words of doctors, as they are stored and sent.

use crate::{
    consultations::{Channel, Kind},
    id_columns, row, text_enum,
};
use chat::{define_id, ids::UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

define_id! {
    /// A doctor's page; not the account he signs in with.
    DoctorId;
}
id_columns!(DoctorId);

text_enum! {
    /// 职称, from senior to junior.
    pub enum Title {
        ChiefPhysician = "chief_physician",
        AssociateChiefPhysician = "associate_chief_physician",
        AttendingPhysician = "attending_physician",
        ResidentPhysician = "resident_physician",
    }
}

impl Title {
    pub fn label(self) -> &'static str {
        match self {
            Self::ChiefPhysician => "主任医师",
            Self::AssociateChiefPhysician => "副主任医师",
            Self::AttendingPhysician => "主治医师",
            Self::ResidentPhysician => "住院医师",
        }
    }
}

row! {
    /// Shown before anybody pays (FND-15, REG-08).
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    pub struct Price {
        pub kind: Kind,
        pub channel: Channel,
        /// Fen.
        #[schema(minimum = 1)]
        pub amount_fen: i64,
    }
}

row! {
    /// Within what doctors of a title set their price.
    #[derive(Clone, Debug, Serialize, ToSchema)]
    pub struct PriceBand {
        pub kind: Kind,
        pub channel: Channel,
        pub min_fen: i64,
        pub max_fen: i64,
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DepartmentRef {
    #[schema(value_type = Uuid)]
    pub id: crate::catalogue::DepartmentId,
    pub name: String,
}

/// What a list shows of a doctor (FND-07).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DoctorCard {
    /// Of the page: what `doctor_id` and `/api/doctors/{id}` take.
    #[schema(value_type = Uuid)]
    pub id: DoctorId,
    /// Of the person: what the socket speaks of (`watchPresence`, `sender`, `user`, `by`).
    #[schema(value_type = Uuid)]
    pub user_id: UserId,
    pub name: String,
    pub avatar_url: Option<String>,
    pub title: Title,
    /// `主任医师`
    pub title_label: &'static str,
    pub department: DepartmentRef,
    pub hospital: String,
    pub expertise: String,
    /// Mean of the shown reviews, 1.0 to 5.0; null before the first.
    pub rating: Option<f64>,
    pub rating_count: i64,
    pub consultation_count: i64,
    /// Has a socket and it is his opening time (FND-16).
    pub online: bool,
    /// Takes new patients.
    pub accepting: bool,
    pub prices: Vec<Price>,
}

/// One decimal, as it is shown.
pub(super) fn rating(sum: i64, count: i64) -> Option<f64> {
    // Sums of ratings are far below 2^53.
    (count > 0).then(|| (sum as f64 / count as f64 * 10.0).round() / 10.0)
}
