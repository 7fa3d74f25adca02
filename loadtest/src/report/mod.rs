//! What a run says: data first, then each way to show it.

pub mod data;
