//! The one table of stable error codes and of close codes. Sockets and HTTP speak the same words.
//!
//! A code is a promise: it is never renamed and never changes its meaning. A client decides by `temporary` and
//! `retry_after_ms` whether to try again, by [`CloseCode::reconnect`] whether to come back.

mod close;
mod codes;

pub use close::{CloseCode, Reconnect};
pub use codes::Code;
