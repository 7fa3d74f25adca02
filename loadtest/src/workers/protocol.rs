//! What coordinator and workers say. JSON, one message a frame.
//!
//! `hello` is read by every version: it and `refused` never lose a field. All moments are microseconds of the speaker's own clock
//! unless the name says otherwise.

use crate::report::data::{Live, Report};
use serde::{Deserialize, Serialize};

/// Raised with every change that an older side would misunderstand.
pub const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FromWorker {
    Hello(Hello),
    /// HMAC over both nonces: see `secret`.
    Proof {
        proof: String,
    },
    Pong {
        number: u32,
        at_us: u64,
        unix_ms: u64,
    },
    /// Its sockets are open; it waits for `go`.
    Ready,
    Live {
        live: Box<Live>,
    },
    /// Nothing new, but here.
    Alive,
    Done {
        report: Box<Report>,
    },
    Failed {
        reason: String,
        exit_code: u8,
    },
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Hello {
    pub version: u32,
    /// Of the report.
    pub schema: u32,
    pub nonce: String,
    /// For people: host and process.
    pub name: String,
    /// The same for workers that share a kernel.
    pub machine: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FromCoordinator {
    Refused {
        code: Refusal,
        detail: String,
    },
    Challenge {
        nonce: String,
        proof: String,
    },
    Accepted {
        index: u32,
        of: u32,
    },
    Ping {
        number: u32,
    },
    /// A part of its people: lines of `wenzhen admin mint-tokens`. All of them come before the assignment.
    People {
        lines: Vec<String>,
    },
    Assignment {
        plan: serde_json::Value,
    },
    /// `start_us` is a moment of the worker's clock.
    Go {
        start_us: u64,
    },
    /// Ends early, with a report over what was done.
    Stop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    #[error("another version of the protocol or of the report")]
    Version,
    #[error("the secret is another one")]
    Secret,
    #[error("the run has all its workers")]
    Full,
    #[error("not what comes at this place")]
    Protocol,
}
