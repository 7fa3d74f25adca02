//! Attachments: pictures and voice messages, sniffed, written anew without metadata, sealed and stored under opaque ids.
//!
//! What a client sends is never stored: pictures are decoded and encoded again, voice is taken out of its container packet by packet and
//! put into a new one. The type a client declares only has to agree with what the bytes are. Who may read is not known here.

mod attachments;
mod entropy;
mod error;
mod image;
mod limits;
#[cfg(test)]
mod mutants;
mod sealed;
mod sniff;
mod store;
mod voice;

pub use attachments::{Attachments, Processed, ProcessedImage, ProcessedVoice, Rendition};
pub use error::MediaError;
pub use limits::Limits;
pub use sealed::{Key, Variant};
pub use sniff::Format;
pub use store::{BlobId, BlobStore, StoredBlob};
