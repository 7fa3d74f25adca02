//! Data keys of the conversations that are talked in now, unwrapped once. Bounded; a miss asks the key source again.

use super::{read, store::Store};
use crate::entropy::Entropy;
use crate::ids::ConversationId;
use crate::log::error::LogError;
use crate::log::types::NewConversation;
use crate::seal::{DataKey, KeySource, WrappedKey};
use lru::LruCache;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub struct KeyRing {
    source: Arc<dyn KeySource>,
    keys: Mutex<LruCache<ConversationId, Arc<DataKey>>>,
}

impl KeyRing {
    pub fn new(source: Arc<dyn KeySource>, keys_max: usize) -> Self {
        let capacity = NonZeroUsize::new(keys_max).unwrap_or(NonZeroUsize::MIN);
        Self { source, keys: Mutex::new(LruCache::new(capacity)) }
    }

    pub async fn create(&self, entropy: &Entropy, new: &NewConversation) -> Result<(DataKey, WrappedKey), LogError> {
        let tenant = self.source.tenant_key(new.tenant).await.map_err(LogError::Key)?;
        let person = self.source.person_key(new.subject).await.map_err(LogError::Key)?;
        Ok(DataKey::create(entropy, (new.tenant, &tenant), (new.subject, &person), new.id))
    }

    pub fn remember(&self, conversation: ConversationId, key: Arc<DataKey>) {
        self.lock().put(conversation, key);
    }

    pub async fn get(&self, store: &Arc<Store>, conversation: ConversationId) -> Result<Arc<DataKey>, LogError> {
        if let Some(key) = self.lock().get(&conversation) {
            return Ok(key.clone());
        }
        let reader = store.clone();
        let origin = read::blocking(move || reader.origin(conversation)).await?.ok_or(LogError::UnknownConversation)?;
        let tenant = self.source.tenant_key(origin.head.tenant).await.map_err(LogError::Key)?;
        let person = self.source.person_key(origin.head.subject).await.map_err(LogError::Key)?;
        let key =
            DataKey::unwrap(&origin.key, (origin.head.tenant, &tenant), (origin.head.subject, &person), conversation).map_err(|_| {
                LogError::Damaged {
                    conversation: Some(conversation),
                    seq: None,
                    what: "the conversation's key does not open with these keys".into(),
                }
            })?;
        let key = Arc::new(key);
        self.remember(conversation, key.clone());
        Ok(key)
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<ConversationId, Arc<DataKey>>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
