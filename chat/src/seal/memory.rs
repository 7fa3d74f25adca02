//! Outer keys that live as long as the process: for tests, benches and throw-away servers. What they sealed is lost with them.

use super::{Key, KeyError, KeySource};
use crate::entropy::Entropy;
use crate::ids::{TenantId, UserId};
use futures_util::future::{BoxFuture, FutureExt, ready};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// Clones share the keys, so that a log can be reopened in the same process.
#[derive(Clone, Debug)]
pub struct MemoryKeys {
    entropy: Entropy,
    /// `None` = destroyed.
    keys: Arc<Mutex<HashMap<Uuid, Option<Key>>>>,
}

impl MemoryKeys {
    pub fn new(entropy: Entropy) -> Self {
        Self { entropy, keys: Arc::default() }
    }

    /// Erases the person: nothing sealed under this key opens again.
    pub fn destroy_person(&self, user: UserId) {
        self.lock().insert(user.0, None);
    }

    fn get(&self, id: Uuid) -> Result<Key, KeyError> {
        self.lock().entry(id).or_insert_with(|| Some(Key::new(self.entropy.bytes()))).clone().ok_or(KeyError::Destroyed)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Option<Key>>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeySource for MemoryKeys {
    fn tenant_key(&self, tenant: TenantId) -> BoxFuture<'_, Result<Key, KeyError>> {
        ready(self.get(tenant.0)).boxed()
    }

    fn person_key(&self, user: UserId) -> BoxFuture<'_, Result<Key, KeyError>> {
        ready(self.get(user.0)).boxed()
    }
}
