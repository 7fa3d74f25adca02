//! The doctor's record of a consultation and its issued copy.

mod content;
pub mod pdf;

pub use content::Content;
