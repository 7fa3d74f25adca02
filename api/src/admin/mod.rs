//! Tools beside the server. Minting tokens makes people for load tests; it exists in demo mode only.
//!
//! The store belongs to the running process, so the command asks that process over loopback, showing a key that only
//! whoever can read the keys folder can derive; without a running server it opens the store itself.

mod client;
mod door;
mod people;

pub(crate) use client::mint_tokens;
pub(crate) use door::{announce, routes, withdraw};

use serde::{Deserialize, Serialize};

/// One line of the command's output.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Minted {
    pub user: String,
    pub role: String,
    pub conversation: String,
    pub peer: String,
    pub access_token: String,
}

/// More people than sockets fit on a machine.
const PEOPLE_MAX: usize = 100_000;
const DOOR: &str = "/demo/admin/mint-tokens";
const KEY: &str = "admin door v1";
