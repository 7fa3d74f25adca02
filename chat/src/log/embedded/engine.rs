//! Opening fjall the way this log needs it, and nothing else.
//!
//! Small journal and memtables keep the reopening after a kill near a second whatever the size of the store.

use super::anchor::{self, Anchor};
use super::journal;
use super::options::Options;
use super::store::{KEYSPACES, Store};
use crate::log::error::LogError;
use fjall::config::CompressionPolicy;
use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions};
use std::panic::AssertUnwindSafe;
use std::path::Path;

const JOURNAL_BYTES_MAX: u64 = 96 << 20;
const MEMTABLE_BYTES_MAX: u64 = 16 << 20;

pub const STORE: &str = "store";
/// Written last when fjall makes a database: without it nothing was ever committed there.
const VERSION_FILE: &str = "version";

/// The store and the end of its feed. Everything that fjall would cut off or delete without a word is looked at before fjall sees it.
pub fn open(options: &Options) -> Result<(Store, Anchor), LogError> {
    let (dir, store_dir) = (&options.dir, options.dir.join(STORE));
    std::fs::create_dir_all(dir).map_err(LogError::io("creating its directory"))?;
    let anchor = match anchor::read(dir)? {
        Some(anchor) => anchor,
        None if store_dir.exists() => return Err(damaged("the tail anchor is missing")),
        None => anchor::create(dir).map(|()| anchor::BEGINNING)?,
    };
    if store_dir.join(VERSION_FILE).exists() {
        check_files(&store_dir, &anchor)?;
    } else if anchor == anchor::BEGINNING {
        begin_again(&store_dir)?;
    } else {
        return Err(damaged("the store is missing"));
    }
    let store = open_store(&store_dir, options.limits.block_cache_bytes, &anchor)?;
    let end = anchor::check(&store, &anchor)?;
    Ok((store, end))
}

/// Damage that stops fjall, by error or by panic, comes back as an error.
pub fn open_store(store_dir: &Path, cache_bytes: u64, anchor: &Anchor) -> Result<Store, LogError> {
    let open = || {
        let db = open_database(store_dir, cache_bytes)?;
        if *anchor != anchor::BEGINNING
            && let Some(gone) = KEYSPACES.into_iter().find(|name| !db.keyspace_exists(name))
        {
            return Err(LogError::Damaged { conversation: None, seq: None, what: format!("keyspace {gone} is gone") });
        }
        Store::new(db)
    };
    std::panic::catch_unwind(AssertUnwindSafe(open)).unwrap_or_else(|_| Err(damaged("the engine cannot read its files")))
}

fn open_database(dir: &Path, cache_bytes: u64) -> Result<Database, LogError> {
    Database::builder(dir)
        .max_journaling_size(JOURNAL_BYTES_MAX)
        .cache_size(cache_bytes)
        .worker_threads(2)
        // Sealed bodies do not compress.
        .journal_compression(CompressionType::None)
        .open()
        .map_err(LogError::engine("opening"))
}

/// fjall removes a keyspace's folder when its `current` file is missing, and cuts a journal where it cannot read on.
fn check_files(store_dir: &Path, anchor: &Anchor) -> Result<(), LogError> {
    if let Some(damage) = journal::check(store_dir)?.into_iter().next() {
        return Err(LogError::Damaged { conversation: None, seq: None, what: format!("journal {damage}") });
    }
    if *anchor == anchor::BEGINNING {
        return Ok(());
    }
    let keyspaces = store_dir.join("keyspaces");
    // 0 is fjall's own.
    match (0..=KEYSPACES.len()).find(|number| !keyspaces.join(number.to_string()).join("current").exists()) {
        Some(number) => Err(LogError::Damaged { conversation: None, seq: None, what: format!("keyspace folder {number} is incomplete") }),
        None => Ok(()),
    }
}

/// The process died while fjall made its files for the first time.
fn begin_again(store_dir: &Path) -> Result<(), LogError> {
    match std::fs::remove_dir_all(store_dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(LogError::io("clearing an unfinished store")(error)),
        _ => Ok(()),
    }
}

fn damaged(what: &str) -> LogError {
    LogError::Damaged { conversation: None, seq: None, what: what.into() }
}

pub fn keyspace(db: &Database, name: &'static str) -> Result<Keyspace, LogError> {
    let options = || {
        KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES_MAX).data_block_compression_policy(CompressionPolicy::disabled())
    };
    db.keyspace(name, options).map_err(LogError::engine("opening a keyspace"))
}
