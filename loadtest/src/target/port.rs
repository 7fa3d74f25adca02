//! A free port below the ephemeral range.

use super::TargetError;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

pub(super) const FIRST: u16 = 20_000;
/// The kernel hands out 32768 and above for connections unless told otherwise.
pub(super) const LAST: u16 = 29_999;

/// Other processes begin elsewhere, so that two runs at once seldom look at the same port.
pub(super) fn free() -> Result<u16, TargetError> {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let span = u32::from(LAST - FIRST) + 1;
    for _ in 0..span {
        let offset = std::process::id().wrapping_mul(37).wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed)) % span;
        let port = FIRST + u16::try_from(offset).expect("the span of ports is below 65536");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(TargetError::NoPort)
}
