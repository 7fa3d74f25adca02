//! The one HTTP server: slices under /api, health and metrics, the API's document and page, the web client, the socket.

mod health;
mod inbox;
mod metrics;
mod openapi;
mod router;
mod run;
mod socket;
mod web;

pub use router::{route_list, router};
pub use run::{ServeError, run};
