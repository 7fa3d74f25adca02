//! The way to an installation: its address, the socket, and requests. Knows the protocol's framing, nothing of any scenario.

mod http;
mod socket;
mod target;

pub use http::{Answer, Http};
pub use socket::{ComeBack, Ended, OpenError, Socket};
pub use target::Target;
