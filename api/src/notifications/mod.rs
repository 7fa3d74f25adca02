//! The message centre (NTF-01 to 04): what happened, by time and category, read and unread; a hint over the socket when one comes.
//!
//! | who | may |
//! |---|---|
//! | signed in | list, count and mark his own |
//!
//! Other slices call [`notify`] in the transaction of what they tell about. Nobody can read or write another's.

mod list;
mod model;
mod notify;
mod read;

pub use model::{Category, Link, Notification};
pub(crate) use notify::{New, notify};

use crate::{Slice, outbox::Topic, state::App};
use utoipa_axum::{router::OpenApiRouter, routes};

pub const SLICE: Slice = Slice {
    routes,
    topics: &[Topic { name: notify::TOPIC, handle: |app, message| Box::pin(notify::announce(app, message)), inline: true }],
    timers: &[],
};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(list::unread_count))
        .routes(routes!(read::mark_read))
        .routes(routes!(read::mark_all_read))
}

#[cfg(test)]
mod tests;
