//! Keys: one root per installation, one key per hospital and per person, kept under `--keys`, apart from the data and outside backups.
//!
//! The root wraps the others; names, phones and stored answers are sealed with them, lookups go by keyed hash.
//! Destroying a person's key makes everything sealed with it unreadable for ever; a destroyed key is never made again.

mod sealed;
mod source;
mod vault;

pub use sealed::{Place, SecretKey, Unsealable};

use chat::{
    entropy::Entropy,
    ids::{TenantId, UserId},
};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::{
    path::Path,
    sync::{Arc, Mutex},
};
use vault::{Owner, Vault};

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the keys folder")]
    Io(#[from] std::io::Error),
    #[error("root.key may be read by others: its mode must be 0600")]
    Exposed,
    #[error("root.key is not 32 bytes")]
    Malformed,
    #[error("vault.keys does not belong to root.key, or was changed")]
    Foreign,
    #[error("the key was destroyed")]
    Destroyed,
    #[error("there is no such key, and this command makes none")]
    Unknown,
    #[error("the key task was stopped")]
    Stopped,
}

/// The keys of one installation. Cheap to clone.
#[derive(Clone)]
pub struct Keys {
    root: SecretKey,
    vault: Arc<Mutex<Vault>>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(***)")
    }
}

/// What a keyed hash is for: the same text gives different hashes for different purposes.
#[derive(Clone, Copy, Debug)]
pub enum Lookup {
    Phone,
    SmsCode,
    RefreshToken,
    SignInSubject,
    Peer,
}

impl Keys {
    /// Opens the folder; makes it and a root key at the first start.
    pub fn open(dir: &Path, entropy: &Entropy) -> Result<Self, KeyError> {
        let root = vault::open_root(dir, entropy)?;
        let vault = Vault::open(dir, root.clone(), entropy.clone())?;
        Ok(Self { root, vault: Arc::new(Mutex::new(vault)) })
    }

    /// Opens a folder that is there, to read: makes no key and leaves every file as it is.
    pub fn examine(dir: &Path, entropy: &Entropy) -> Result<Self, KeyError> {
        let root = vault::read_root(dir)?;
        let vault = Vault::examine(dir, root.clone(), entropy.clone())?;
        Ok(Self { root, vault: Arc::new(Mutex::new(vault)) })
    }

    /// A key for one purpose, derived from the root: access tokens, TURN, checkpoints.
    pub fn derived(&self, purpose: &str) -> [u8; 32] {
        let mut key = [0; 32];
        Hkdf::<Sha256>::new(None, self.root.bytes()).expand(purpose.as_bytes(), &mut key).expect("32 bytes are within HKDF's 8160");
        key
    }

    /// Keyed hash by which a sealed value is found again.
    pub fn lookup(&self, lookup: Lookup, text: &str) -> [u8; 32] {
        let key = self.derived(match lookup {
            Lookup::Phone => "lookup phone v1",
            Lookup::SmsCode => "lookup sms code v1",
            Lookup::RefreshToken => "lookup refresh token v1",
            Lookup::SignInSubject => "lookup sign-in subject v1",
            Lookup::Peer => "lookup peer v1",
        });
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// The person's key, made at the first use; durable before it is returned.
    pub async fn person(&self, user: UserId) -> Result<SecretKey, KeyError> {
        self.get(Owner::Person(user)).await
    }

    pub async fn tenant(&self, tenant: TenantId) -> Result<SecretKey, KeyError> {
        self.get(Owner::Tenant(tenant)).await
    }

    /// Makes missing keys of many people with one sync.
    pub async fn prepare_people(&self, users: Vec<UserId>) -> Result<(), KeyError> {
        let owners = users.into_iter().map(Owner::Person).collect::<Vec<_>>();
        self.on_vault(move |vault| vault.get_or_make(&owners).map(drop)).await
    }

    /// Erasure: overwrites the key. The caller has checked that no legal hold forbids it.
    pub async fn destroy_person(&self, user: UserId) -> Result<(), KeyError> {
        self.on_vault(move |vault| vault.destroy(Owner::Person(user))).await
    }

    async fn get(&self, owner: Owner) -> Result<SecretKey, KeyError> {
        if let Some(known) = self.vault.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).find(owner)? {
            return Ok(known);
        }
        let mut made = self.on_vault(move |vault| vault.get_or_make(&[owner])).await?;
        made.pop().ok_or(KeyError::Foreign)
    }

    /// Syncs to disk, so never on an async thread.
    async fn on_vault<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Vault) -> Result<T, KeyError> + Send + 'static,
    ) -> Result<T, KeyError> {
        let vault = self.vault.clone();
        let task = tokio::task::spawn_blocking(move || work(&mut vault.lock().unwrap_or_else(|poisoned| poisoned.into_inner())));
        task.await.map_err(|_| KeyError::Stopped)?
    }
}

impl From<KeyError> for crate::http::Problem {
    fn from(error: KeyError) -> Self {
        Self::internal(&error)
    }
}

#[cfg(test)]
mod tests;
