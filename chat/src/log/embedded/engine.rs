//! Opening fjall the way this log needs it, and nothing else.
//!
//! Small journal and memtables keep the reopening after a kill near a second whatever the size of the store.

use super::options::Options;
use super::store::Store;
use crate::log::error::LogError;
use fjall::config::CompressionPolicy;
use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions};
use std::path::Path;

const JOURNAL_BYTES_MAX: u64 = 96 << 20;
const MEMTABLE_BYTES_MAX: u64 = 16 << 20;

pub fn open(options: &Options) -> Result<Store, LogError> {
    std::fs::create_dir_all(&options.dir).map_err(LogError::io("creating its directory"))?;
    let db = open_database(&options.dir.join("store"), options.limits.block_cache_bytes)?;
    Store::new(db)
}

pub fn open_database(dir: &Path, cache_bytes: u64) -> Result<Database, LogError> {
    Database::builder(dir)
        .max_journaling_size(JOURNAL_BYTES_MAX)
        .cache_size(cache_bytes)
        .worker_threads(2)
        // Sealed bodies do not compress.
        .journal_compression(CompressionType::None)
        .open()
        .map_err(LogError::engine("opening"))
}

pub fn keyspace(db: &Database, name: &'static str) -> Result<Keyspace, LogError> {
    let options = || {
        KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES_MAX).data_block_compression_policy(CompressionPolicy::disabled())
    };
    db.keyspace(name, options).map_err(LogError::engine("opening a keyspace"))
}
