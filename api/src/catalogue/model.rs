//! The words of the catalogue, as they are stored and sent.

use crate::{id_columns, row};
use chat::{define_id, ids::Timestamp};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

define_id! {
    /// 科室
    DepartmentId;
    /// 疾病
    DiseaseId;
}
id_columns!(DepartmentId, DiseaseId);

row! {
    #[derive(Clone, Debug, Serialize, ToSchema)]
    pub struct Hospital {
        #[schema(value_type = Uuid)]
        pub id: Uuid,
        pub name: String,
        /// `三级甲等`
        pub grade: String,
        pub introduction: String,
        pub address: String,
        pub phone: String,
        /// What the one-tap emergency button dials.
        pub emergency_phone: String,
        pub website: String,
        pub service_hours: String,
    }
}

row! {
    #[derive(Clone, Debug, Serialize, ToSchema)]
    pub struct Department {
        #[schema(value_type = Uuid)]
        pub id: DepartmentId,
        pub code: String,
        pub name: String,
        /// Heading of the department list, `内科系统`.
        pub category: String,
        pub summary: String,
        pub hot: bool,
        pub doctor_count: i64,
    }
}

row! {
    #[derive(Clone, Debug, Serialize, ToSchema)]
    pub struct Disease {
        #[schema(value_type = Uuid)]
        pub id: DiseaseId,
        pub name: String,
        /// ICD-10
        pub code: String,
        #[schema(value_type = Uuid)]
        pub department_id: DepartmentId,
    }
}

row! {
    /// A service line beside the departments (FND-04).
    #[derive(Clone, Debug, Serialize, ToSchema)]
    pub struct SpecialService {
        pub code: String,
        pub name: String,
        pub summary: String,
    }
}

row! {
    #[derive(Clone, Debug, Serialize, ToSchema)]
    pub struct Announcement {
        #[schema(value_type = Uuid)]
        pub id: Uuid,
        pub title: String,
        pub text: String,
        #[schema(value_type = i64)]
        pub published_at: Timestamp,
    }
}
