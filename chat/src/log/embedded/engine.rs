//! Opening fjall the way this log needs it, and nothing else.
//!
//! Small journal and memtables keep the reopening after a kill well below a second whatever the size of the store.

use super::anchor::{self, Anchor};
use super::journal::Rest;
use super::options::Options;
use super::replay::{self, Pending};
use super::store::{KEYSPACES, Store};
use crate::clock::Stopwatch;
use crate::log::error::LogError;
use fjall::config::CompressionPolicy;
use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions};
use std::fs::{File, TryLockError};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::Duration;

const JOURNAL_BYTES_MAX: u64 = 96 << 20;
const MEMTABLE_BYTES_MAX: u64 = 16 << 20;

pub const STORE: &str = "store";
const LOCK: &str = "lock";
/// A process that is being replaced, or an engine that is being dropped, needs a moment to let go.
const LOCK_TRIES: usize = 4;
const LOCK_WAIT: Duration = Duration::from_millis(100);
/// Written last when fjall makes a database: without it nothing was ever committed there.
const VERSION_FILE: &str = "version";

/// The store and the end of its feed. Everything that fjall would cut off or delete without a word is looked at before fjall sees it.
pub fn open(options: &Options) -> Result<(Store, Anchor), LogError> {
    let (dir, store_dir) = (&options.dir, options.dir.join(STORE));
    std::fs::create_dir_all(dir).map_err(LogError::io("creating its directory"))?;
    let lock = lock(dir)?;
    let anchor = match anchor::read(dir)? {
        Some(anchor) => anchor,
        None if store_dir.exists() => return Err(damaged("the tail anchor is missing")),
        None => anchor::create(dir).map(|()| anchor::BEGINNING)?,
    };
    let watch = Stopwatch::start();
    let pending = if store_dir.join(VERSION_FILE).exists() {
        Some(sound_journals(&store_dir, &anchor)?)
    } else if anchor == anchor::BEGINNING {
        begin_again(&store_dir)?;
        None
    } else {
        return Err(damaged("the store is missing"));
    };
    let checked_ms = watch.elapsed_ms();
    let mut store = open_store(&store_dir, pending, options.limits.block_cache_bytes, &anchor)?;
    store.lock = Some(lock);
    let opened_ms = watch.elapsed_ms();
    let end = anchor::check(&store, &anchor)?;
    tracing::info!(checked_ms, opened_ms, proved_ms = watch.elapsed_ms(), beyond_anchor = end.cursor - anchor.cursor, "log.opened");
    Ok((store, end))
}

/// Held as long as the store is open: beside fjall's own, because the journals are moved before fjall looks.
pub fn lock(dir: &Path) -> Result<File, LogError> {
    let failed = |error| LogError::io("locking its directory")(error);
    let file = File::options().create(true).truncate(false).write(true).open(dir.join(LOCK)).map_err(failed)?;
    for attempt in 1.. {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if attempt < LOCK_TRIES => std::thread::sleep(LOCK_WAIT),
            Err(TryLockError::WouldBlock) => return Err(LogError::InUse),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
    Ok(file)
}

/// `pending` is what the journals hold; `None` for a store that is made now. Damage that stops fjall, by error or by panic, comes back as an error.
pub fn open_store(store_dir: &Path, pending: Option<Pending>, cache_bytes: u64, anchor: &Anchor) -> Result<Store, LogError> {
    let open = || {
        if let Some(pending) = &pending {
            pending.set_aside(store_dir)?;
        }
        let db = open_database(store_dir, cache_bytes)?;
        if *anchor != anchor::BEGINNING
            && let Some(gone) = KEYSPACES.into_iter().find(|name| !db.keyspace_exists(name))
        {
            return Err(LogError::Damaged { conversation: None, seq: None, what: format!("keyspace {gone} is gone") });
        }
        let store = Store::new(db)?;
        if let Some(pending) = &pending {
            pending.take_over(&store, store_dir)?;
        }
        Ok(store)
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

/// A batch that was begun and not finished is left out: it was never acknowledged, or the anchor knows of it.
fn sound_journals(store_dir: &Path, anchor: &Anchor) -> Result<Pending, LogError> {
    let pending = replay::read(store_dir)?;
    for journal in &pending.journals {
        match &journal.rest {
            Rest::Nothing | Rest::Torn => {}
            Rest::Finished => return Err(journal.torn_tail()),
            Rest::Damage(damage) => {
                return Err(LogError::Damaged { conversation: None, seq: None, what: format!("journal {damage}") });
            }
        }
    }
    if *anchor != anchor::BEGINNING {
        whole_folders(store_dir)?;
    }
    Ok(pending)
}

/// fjall removes a keyspace's folder when its `current` file is missing.
fn whole_folders(store_dir: &Path) -> Result<(), LogError> {
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
