//! What is measured, and how: latency histograms per phase, and one row a second.
//!
//! A latency always counts from the intended moment and belongs to the phase and the second of that moment, so that a stall
//! cannot hide behind the answers it delayed.

mod histogram;
mod meters;
mod words;

pub use histogram::Histogram;
pub use meters::{Meters, Tick};
pub use words::{Metric, Phase};
