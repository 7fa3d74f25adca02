//! The business around the conversation: accounts, doctors, consultations, orders, records; HTTP, SQL, configuration.
//!
//! Each capability is a folder with one line in [`SLICES`]. Slices never read each other's tables:
//! they call a `pub(crate)` function or write to the outbox.

pub mod accounts;
pub mod authz;
pub mod catalogue;
pub mod cli;
pub mod config;
pub mod consultations;
pub mod db;
pub mod demo;
pub mod doctors;
pub mod http;
pub mod idempotency;
pub mod keys;
pub mod ledger;
pub mod notifications;
pub mod orders;
pub mod outbox;
pub mod payments;
pub mod records;
pub mod reviews;
pub mod search;
pub mod server;
pub mod state;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod timers;
pub mod uploads;

mod admin;
mod background;
mod build;
mod failpoint;
mod hooks;
mod realtime;
mod telemetry;

pub use build::{Registry, Slice, StartError, build, registry};

/// Every slice registers here: routes, outbox topics, kinds of timers.
#[rustfmt::skip] // one line a slice
pub const SLICES: &[Slice] = &[
    accounts::SLICE,
    catalogue::SLICE,
    doctors::SLICE,
    search::SLICE,
    notifications::SLICE,
    orders::SLICE,
    payments::SLICE,
    consultations::SLICE,
    records::SLICE,
    reviews::SLICE,
    uploads::SLICE,
];
