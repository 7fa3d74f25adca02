//! The conversation: ids, wire protocol, connection, hub, presence, fan-out and the message log.
//!
//! Knows no other crate of ours. With only the feature `wire` it is the words of the protocol and nothing else.

pub mod ids;
pub mod wire;

#[cfg(feature = "server")]
pub mod clock;
#[cfg(feature = "server")]
pub mod entropy;
#[cfg(feature = "server")]
pub mod log;
