//! The files of the keys folder: `root.key` (32 bytes, mode 0600) and `vault.keys`, fixed records of wrapped keys.
//!
//! A record is appended and synced before its key is used; destroying one overwrites it in place and syncs.
//! A torn last record (a crash while appending) belongs to a key nobody used yet and is cut off.

use super::{KeyError, SecretKey};
use chat::{
    entropy::Entropy,
    ids::{TenantId, UserId},
};
use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};
use uuid::Uuid;

/// kind (1), id (16), then version, nonce, key and tag (61), padding (2).
const RECORD_BYTES: usize = 80;
const WRAPPED: std::ops::Range<usize> = 17..78;
const TENANT: u8 = 1;
const PERSON: u8 = 2;
const DESTROYED_PERSON: u8 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    Tenant(TenantId),
    Person(UserId),
}

#[derive(Clone)]
enum Slot {
    Live { key: SecretKey, offset: u64 },
    Destroyed,
}

pub(super) struct Vault {
    root: SecretKey,
    entropy: Entropy,
    /// None: keys are only read.
    file: Option<File>,
    bytes: u64,
    slots: HashMap<Owner, Slot>,
}

pub(super) fn open_root(dir: &Path, entropy: &Entropy) -> Result<SecretKey, KeyError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let path = dir.join("root.key");
    if !path.exists() {
        // Renamed into place: a crash never leaves half a root key.
        let fresh = dir.join("root.key.new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(&entropy.bytes::<32>())?;
        file.sync_all()?;
        fs::rename(&fresh, &path)?;
        File::open(dir)?.sync_all()?;
    }
    read_root(dir)
}

pub(super) fn read_root(dir: &Path) -> Result<SecretKey, KeyError> {
    let path = dir.join("root.key");
    if fs::metadata(&path)?.permissions().mode() & 0o077 != 0 {
        return Err(KeyError::Exposed);
    }
    let bytes: [u8; 32] = fs::read(&path)?.try_into().map_err(|_| KeyError::Malformed)?;
    Ok(SecretKey::new(bytes))
}

impl Vault {
    pub(super) fn open(dir: &Path, root: SecretKey, entropy: Entropy) -> Result<Self, KeyError> {
        let path = dir.join("vault.keys");
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let mut content = Vec::new();
        file.read_to_end(&mut content)?;
        let whole = content.len() - content.len() % RECORD_BYTES;
        if whole < content.len() {
            file.set_len(whole as u64)?;
        }
        Ok(Self { file: Some(file), ..Self::of(&content[..whole], root, entropy)? })
    }

    pub(super) fn examine(dir: &Path, root: SecretKey, entropy: Entropy) -> Result<Self, KeyError> {
        let content = fs::read(dir.join("vault.keys"))?;
        let whole = content.len() - content.len() % RECORD_BYTES;
        Self::of(&content[..whole], root, entropy)
    }

    fn of(records: &[u8], root: SecretKey, entropy: Entropy) -> Result<Self, KeyError> {
        let mut slots = HashMap::new();
        for (index, record) in records.chunks_exact(RECORD_BYTES).enumerate() {
            let (owner, slot) = read_record(&root, record, (index * RECORD_BYTES) as u64)?;
            slots.insert(owner, slot);
        }
        Ok(Self { root, entropy, file: None, bytes: records.len() as u64, slots })
    }

    pub(super) fn find(&self, owner: Owner) -> Result<Option<SecretKey>, KeyError> {
        match self.slots.get(&owner) {
            Some(Slot::Live { key, .. }) => Ok(Some(key.clone())),
            Some(Slot::Destroyed) => Err(KeyError::Destroyed),
            None => Ok(None),
        }
    }

    /// One append and one sync for all that are missing.
    pub(super) fn get_or_make(&mut self, owners: &[Owner]) -> Result<Vec<SecretKey>, KeyError> {
        let mut keys = Vec::with_capacity(owners.len());
        let mut fresh = Vec::new();
        let mut made = HashMap::new();
        for owner in owners {
            let known = match made.get(owner) {
                Some(Slot::Live { key, .. }) => Some(SecretKey::clone(key)),
                _ => self.find(*owner)?,
            };
            keys.push(known.unwrap_or_else(|| {
                let key = SecretKey::new(self.entropy.bytes());
                let offset = self.bytes + fresh.len() as u64;
                fresh.extend(self.record(*owner, &key));
                made.insert(*owner, Slot::Live { key: key.clone(), offset });
                key
            }));
        }
        if !fresh.is_empty() {
            let file = self.file.as_mut().ok_or(KeyError::Unknown)?;
            file.seek(SeekFrom::Start(self.bytes))?;
            file.write_all(&fresh)?;
            file.sync_data()?;
            self.bytes += fresh.len() as u64;
            self.slots.extend(made);
        }
        Ok(keys)
    }

    pub(super) fn destroy(&mut self, owner: Owner) -> Result<(), KeyError> {
        let Some(Slot::Live { offset, .. }) = self.slots.get(&owner).cloned() else { return Ok(()) };
        let mut record = [0; RECORD_BYTES];
        record[0] = DESTROYED_PERSON;
        record[1..17].copy_from_slice(owner.id().as_bytes());
        let file = self.file.as_ref().ok_or(KeyError::Unknown)?;
        file.write_all_at(&record, offset)?;
        file.sync_data()?;
        self.slots.insert(owner, Slot::Destroyed);
        Ok(())
    }

    fn record(&self, owner: Owner, key: &SecretKey) -> [u8; RECORD_BYTES] {
        let mut record = [0; RECORD_BYTES];
        record[0] = owner.kind();
        record[1..17].copy_from_slice(owner.id().as_bytes());
        let wrapped = self.root.seal_with(&self.entropy, &record[..17], key.bytes());
        record[WRAPPED].copy_from_slice(&wrapped);
        record
    }
}

impl Owner {
    fn kind(self) -> u8 {
        match self {
            Self::Tenant(_) => TENANT,
            Self::Person(_) => PERSON,
        }
    }

    fn id(self) -> Uuid {
        match self {
            Self::Tenant(tenant) => tenant.0,
            Self::Person(user) => user.0,
        }
    }
}

fn read_record(root: &SecretKey, record: &[u8], offset: u64) -> Result<(Owner, Slot), KeyError> {
    let id = Uuid::from_slice(&record[1..17]).map_err(|_| KeyError::Foreign)?;
    let owner = match record[0] {
        TENANT => Owner::Tenant(TenantId(id)),
        PERSON => Owner::Person(UserId(id)),
        DESTROYED_PERSON => return Ok((Owner::Person(UserId(id)), Slot::Destroyed)),
        _ => return Err(KeyError::Foreign),
    };
    let key = root.open_with(&record[..17], &record[WRAPPED]).map_err(|_| KeyError::Foreign)?;
    let key = key.try_into().map_err(|_| KeyError::Foreign)?;
    Ok((owner, Slot::Live { key: SecretKey::new(key), offset }))
}
