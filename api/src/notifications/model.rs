//! The words of the message centre.

use crate::text_enum;
use chat::ids::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

text_enum! {
    pub enum Category {
        /// Orders, payments, refunds.
        Order = "order",
        /// What a doctor or patient did in a consultation.
        Doctor = "doctor",
        Platform = "platform",
    }
}

/// Where tapping it leads.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Link {
    /// `consultation` or `order`: of which the `id` is.
    pub object: String,
    pub id: Uuid,
}

#[derive(Clone, Serialize, ToSchema)]
pub struct Notification {
    pub id: Uuid,
    pub category: Category,
    pub title: String,
    pub text: String,
    pub link: Option<Link>,
    #[schema(value_type = i64)]
    pub created_at: Timestamp,
    #[schema(value_type = Option<i64>)]
    pub read_at: Option<Timestamp>,
}

impl std::fmt::Debug for Notification {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Notification({} ***)", self.id)
    }
}
