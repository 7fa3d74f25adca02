//! This machine: what a run has to know about it, what it costs, and what would spoil the figures.
//!
//! Everything is read below a root folder, `/` in a run and a made tree in tests; what cannot be read is none, never zero.

pub mod doctor;
pub mod environment;
#[cfg(test)]
mod made;
pub mod probe;
mod root;
pub mod sources;

pub use root::Root;
