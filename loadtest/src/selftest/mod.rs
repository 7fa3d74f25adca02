//! Proof that the harness can be believed: a server inside this process that tells one known lie an exact number of times, and a
//! table that compares what a run reports with what was told.
//!
//! A run against a server that tells no lie has to come out clean, and a finding that was not planted is as bad as a lie not found.

mod expect;
mod lies;
mod load;
mod probes;
mod server;
mod table;

pub use table::{Options, run};
