//! The conversation log: one dense, hash-chained sequence per conversation, and the head record that decides who may append.
//!
//! Acknowledged means on disk. `seq` is dense from 1. One entry per (conversation, sender, message id), without expiry.
//! An engine is a variant of [`MessageLog`], built in one place; the conformance functions in `conformance` run on each.

pub mod head;
