//! The doctor's record of a consultation and its issued copy.

pub mod pdf;
