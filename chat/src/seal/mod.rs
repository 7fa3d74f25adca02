//! Sealing of message bodies: one data key per conversation, wrapped by the tenant's key and the patient's key together.
//!
//! Destroying either outer key makes every body of that conversation unreadable for good; the hash chain does not need a key.
//! Keys never reach a log line: every type here prints `***`.

mod data_key;
mod memory;

pub use data_key::{DataKey, Fingerprint, Place, WrappedKey};
pub use memory::MemoryKeys;

use crate::ids::{TenantId, UserId};
use futures_util::future::BoxFuture;
use zeroize::Zeroizing;

/// 256 bits that belong to a tenant or a person.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

impl Key {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(***)")
    }
}

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Erased on purpose: what it sealed is gone, and asking again will not help.
    #[error("the key was destroyed")]
    Destroyed,
    #[error("the key cannot be fetched now")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Where outer keys live: files under `--keys` today, a key management service where one exists. Hence a trait.
/// Asking for a key that was never made makes it.
pub trait KeySource: Send + Sync {
    fn tenant_key(&self, tenant: TenantId) -> BoxFuture<'_, Result<Key, KeyError>>;
    fn person_key(&self, user: UserId) -> BoxFuture<'_, Result<Key, KeyError>>;
}

/// A seal that does not open: the wrong key, or bytes that are not what was sealed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the seal is broken")]
pub struct BrokenSeal;
