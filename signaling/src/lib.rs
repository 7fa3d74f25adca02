//! The call (通话): ring, accept, negotiate, active, ended. A pure state machine, its registry, relays and TURN credentials.
//!
//! What must outlive a crash (invited, accepted, ended) is an entry of the conversation log, appended under a guard, so that exactly
//! one of accept, cancel and timeout wins. Everything else is ephemeral: relayed between the two devices of the call, never stored,
//! never logged. The guided tour is PROTOCOL.md. With only the feature `wire` this crate is its timings and limits.

pub mod timing;

#[cfg(feature = "server")]
pub mod call;
#[cfg(feature = "server")]
pub mod courier;
#[cfg(feature = "server")]
pub mod error;
#[cfg(feature = "server")]
pub mod gate;
#[cfg(feature = "server")]
pub mod line;
#[cfg(feature = "server")]
mod rate;
#[cfg(feature = "server")]
mod record;
#[cfg(feature = "server")]
pub mod service;
#[cfg(feature = "server")]
pub mod signal;
#[cfg(feature = "server")]
pub mod turn;

#[cfg(feature = "server")]
pub use service::{CallService, Parts};
