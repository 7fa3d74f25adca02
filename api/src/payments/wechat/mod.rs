//! WeChat Pay API v3 (微信支付) as this product speaks it: signing, checking, opening notices, calling.
//!
//! Everything that comes from the platform passes [`verify`] on its raw bytes before anybody parses it.

mod client;
mod keys;
mod resource;
mod signing;
#[cfg(test)]
mod tests;
pub mod types;

pub use client::{CallUp, ChannelError, Client, Merchant};
pub use keys::{ApiV3Key, KeyError, RsaSigner, TrustedKeys};
pub use resource::{Envelope, Resource, ResourceError};
pub use signing::{FRESH_S, SCHEMA, SignatureError, Verified, answer_text, request_text, verify};
