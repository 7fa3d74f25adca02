//! Orders (订单): what a patient owes for a service, whether he paid it, whether it went back to him.
//!
//! | who | may |
//! |---|---|
//! | patient | list and read his own, pay them (see payments), ask for a refund |
//! | the service's slice | open one, close it unpaid, refund it, say how far the service is |
//!
//! An order does not know what it pays for: its subject hears of payment and refund through [`subject`].

mod announce;
mod model;
mod order_no;
mod policy;
mod queries;
mod routes;
mod subject;
mod transition;

pub(crate) use announce::TOPIC as CHANGED_TOPIC;
pub(crate) use announce::tell_payment_failed;
pub use model::{Order, OrderFilter, OrderId, OrderRow, OrderState, RefundState, RefundView, Stage, display_state};
pub use order_no::{is_order_no, order_no};
pub use queries::of_consultation_unscoped;
pub(crate) use queries::{find, find_unscoped};
pub use transition::{NewOrder, close_unpaid, open, refund_in_full, set_stage};
#[cfg(test)]
pub(crate) use transition::{close, open_for, refund};
pub(crate) use transition::{on_captured, on_refund_moved};

use crate::{Slice, outbox::Topic, state::App};
use chat::ids::Timestamp;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The one kind of subject of this slice's first users.
pub(crate) const CONSULTATION: &str = "consultation";

pub const SLICE: Slice = Slice {
    routes,
    topics: &[Topic { name: CHANGED_TOPIC, handle: |app, message| Box::pin(announce::tell(app, message)), inline: true }],
    timers: &[],
};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(routes::list)).routes(routes!(routes::get)).routes(routes!(routes::request_refund))
}

/// `YYYYMMDD` on the wall of the hospital (UTC+8, no summer time since 1991).
pub(crate) fn beijing_date(at: Timestamp) -> String {
    let utc = time::OffsetDateTime::from_unix_timestamp(at.0.div_euclid(1_000)).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    let beijing = utc.to_offset(time::macros::offset!(+8));
    format!("{:04}{:02}{:02}", beijing.year(), u8::from(beijing.month()), beijing.day())
}
