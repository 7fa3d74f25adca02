//! Tools beside the server. Minting tokens makes people for load tests; it exists in demo mode only.
//!
//! The store belongs to the running process, so the command asks that process over loopback, showing a key that only
//! whoever can read the keys folder can derive; without a running server it opens the store itself. People come as a stream of
//! lines, so that neither side holds all of them.

mod client;
mod door;
mod people;

pub(crate) use client::{MintError, mint_tokens};
pub(crate) use door::{announce, routes, withdraw};

use serde::Serialize;

/// One line of the command's output.
#[derive(Serialize)]
pub(crate) struct Minted {
    pub user: String,
    pub role: String,
    pub conversation: String,
    pub peer: String,
    pub access_token: String,
    /// When the access token ends; `POST /api/auth/refresh` gives the next for the refresh token, which rotates.
    pub expires_at_ms: i64,
    pub refresh_token: String,
    pub session: String,
}

/// More people than sockets fit on a machine.
const PEOPLE_MAX: usize = 1_000_000;
const DOOR: &str = "/demo/admin/mint-tokens";
const KEY: &str = "admin door v1";
