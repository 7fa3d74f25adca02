//! What every route shares: problem documents (RFC 9457), typed extractors, request ids, headers, pages, the idempotency key.
//!
//! Handlers return `Result<_, Problem>`; a slice's error enum converts into [`Problem`] in one `From`.

mod body;
pub mod codes;
mod extract;
mod layers;
mod page;
mod problem;

pub(crate) use body::{Binary, refuse_declared, take_body};
pub use codes::Code;
pub use extract::{Json, Keyed, Path, Query};
pub use layers::{Peer, RequestId};
pub(crate) use layers::{finish_response, identify_request, security_headers};
pub use page::{Page, PageQuery};
pub(crate) use problem::causes;
pub use problem::{Field, Fields, Problem, ProblemBody};
