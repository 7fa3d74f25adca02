//! The keys as the conversation log asks for them.

use super::{KeyError, Keys, SecretKey};
use chat::{
    ids::{TenantId, UserId},
    seal::{self, Key, KeySource},
};
use futures_util::future::BoxFuture;

impl KeySource for Keys {
    fn tenant_key(&self, tenant: TenantId) -> BoxFuture<'_, Result<Key, seal::KeyError>> {
        Box::pin(async move { self.tenant(tenant).await.map(handed_over).map_err(told) })
    }

    fn person_key(&self, user: UserId) -> BoxFuture<'_, Result<Key, seal::KeyError>> {
        Box::pin(async move { self.person(user).await.map(handed_over).map_err(told) })
    }
}

fn handed_over(key: SecretKey) -> Key {
    Key::new(*key.bytes())
}

fn told(error: KeyError) -> seal::KeyError {
    match error {
        KeyError::Destroyed => seal::KeyError::Destroyed,
        other => seal::KeyError::Unavailable(Box::new(other)),
    }
}
