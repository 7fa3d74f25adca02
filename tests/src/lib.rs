//! Harness for cross-crate and real-process tests.
