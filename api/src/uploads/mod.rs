//! Pictures and voice messages on their way into consultations and conversations (CON-03, U-16).
//!
//! | who | may |
//! |---|---|
//! | anybody signed in | upload, within a daily quota; see what he uploaded |
//! | doctor of the consultation it was attached to | see it |
//! | member of the conversation it was sent in | see it |
//! | everybody else | hears `not_found`, as of what never was |
//!
//! An upload belongs to nobody's file until a consultation or a message takes it; the first one wins, what nothing took within a day is
//! deleted with its blob. What was taken is part of the record and is never deleted here.

mod attach;
mod create;
mod download;
mod model;
mod queries;
mod quota;
mod sweep;
#[cfg(test)]
mod tests;

pub(crate) use attach::check_attachment;
pub use attach::{Taken, take_for_consultation};
pub use model::{Attachment, AttachmentId, AttachmentKind};

use crate::{Slice, state::App, timers::TimerKind};
use axum::extract::DefaultBodyLimit;
use utoipa_axum::{router::OpenApiRouter, routes};

pub const SLICE: Slice =
    Slice { routes, topics: &[], timers: &[TimerKind { name: sweep::UNATTACHED, fire: |app, timer| Box::pin(sweep::fire(app, timer)) }] };

pub(crate) const PATH: &str = "/api/uploads";
/// A picture of 10 MiB and the form around it.
pub(crate) const FORM_BYTES_MAX: usize = 10 * 1024 * 1024 + 64 * 1024;

pub fn routes() -> OpenApiRouter<App> {
    let upload = OpenApiRouter::new().routes(routes!(create::create)).layer(DefaultBodyLimit::max(FORM_BYTES_MAX));
    OpenApiRouter::new().merge(upload).routes(routes!(download::full)).routes(routes!(download::thumbnail))
}
