//! What a run says: data first, then each way to show it.

pub mod accounting;
pub mod compare;
pub mod data;
pub mod drift;
pub mod html;
pub mod json;
pub mod junit;
pub mod lines;
pub mod markdown;
pub mod prometheus;
#[cfg(test)]
pub mod sample;
pub mod words;
