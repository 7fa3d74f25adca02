//! The conversation: ids, wire protocol, connection, hub, presence, fan-out and the message log.
//!
//! Knows no other crate of ours. With only the feature `wire` it is the words of the protocol and nothing else.

#[cfg(feature = "wire")]
pub mod errors;
pub mod ids;
pub mod wire;

#[cfg(feature = "server")]
pub mod clock;
#[cfg(feature = "server")]
pub mod connection;
#[cfg(feature = "server")]
pub mod entropy;
#[cfg(feature = "server")]
pub mod fanout;
#[cfg(feature = "server")]
pub mod hub;
#[cfg(feature = "server")]
pub mod limits;
#[cfg(feature = "server")]
pub mod log;
#[cfg(feature = "server")]
pub mod presence;
#[cfg(feature = "server")]
pub mod seal;
#[cfg(feature = "server")]
pub mod token;
