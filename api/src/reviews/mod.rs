//! Reviews (评价): one per served consultation, shown only after a person has looked at it (REV-02).
//!
//! | who | may |
//! |---|---|
//! | patient | review his own consultation once, within the window |
//! | reviewer (staff) | show or hide what is pending |
//! | anybody | read what is shown, without a name that could be found out (X-17) |
//!
//! The author's id never leaves this slice. A doctor's new reviews are held back until enough of them stand in the period, so
//! that the time of one does not name its author (`reviews_shown_from`, 1 turns it off).

mod list;
mod moderate;
mod store;
mod write;

pub use store::OwnReview;
pub(crate) use store::own;

use crate::{Slice, state::App};
use utoipa_axum::{router::OpenApiRouter, routes};

pub const SLICE: Slice = Slice { routes, topics: &[], timers: &[] };

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(write::review))
        .routes(routes!(list::of_doctor))
        .routes(routes!(moderate::list))
        .routes(routes!(moderate::show))
        .routes(routes!(moderate::hide))
}
