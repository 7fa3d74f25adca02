//! Records (病历): what the doctor writes during a consultation, signed at its end, read by the patient and as PDF.
//!
//! | who | may |
//! |---|---|
//! | doctor of the consultation | write the draft, read the record |
//! | patient | read and download it once it is signed |
//!
//! A signed record is never changed. A read by anybody but the patient leaves a row before the answer leaves,
//! chained to the one before it.

mod content;
mod document;
mod draft;
mod list;
pub mod pdf;
mod reads;
mod store;
mod verify;

pub use content::Content;
pub(crate) use reads::{note_history_read, note_read, note_reads};
pub(crate) use store::{completed_at, missing, sign};
pub(crate) use verify::verify_reads;

use crate::{Slice, state::App};
use utoipa_axum::{router::OpenApiRouter, routes};

pub const SLICE: Slice = Slice { routes, topics: &[], timers: &[] };

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(draft::get, draft::put)).routes(routes!(document::download)).routes(routes!(list::list))
}
