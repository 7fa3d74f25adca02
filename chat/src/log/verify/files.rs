//! The engine's files: the working copy, and the checksum of every table file.

use super::report::{Finding, Report};
use crate::log::embedded::store::{KEYSPACES, Store};
use crate::log::error::LogError;
use fjall::AbstractTree;
use std::path::Path;
use tempfile::TempDir;
use xxhash_rust::xxh3::Xxh3;

pub fn copy(store_dir: &Path) -> Result<TempDir, LogError> {
    let failed = |error| LogError::io("copying the store")(error);
    let copy = TempDir::with_prefix("wenzhen-verify-").map_err(failed)?;
    copy_folder(store_dir, copy.path()).map_err(failed)?;
    Ok(copy)
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// The engine checks a block when it reads it; this reads them all and says which file and keys are touched.
pub fn tables(store: &Store, copy: &Path, original: &Path, report: &mut Report) {
    for (name, keyspace) in KEYSPACES.into_iter().zip(store.keyspaces()) {
        for table in keyspace.tree.current_version().iter_tables() {
            let sound = checksum(&table.path).is_ok_and(|sum| sum == table.checksum().into_u128());
            if !sound {
                let range = &table.metadata.key_range;
                let file = table.path.strip_prefix(copy).map_or_else(|_| table.path.to_path_buf(), |file| original.join(file));
                report.found(Finding::Table { file, keyspace: name, first_key: hex(range.min()), last_key: hex(range.max()) });
            }
        }
    }
}

fn checksum(path: &Path) -> std::io::Result<u128> {
    let mut file = std::fs::File::open(path)?;
    let mut hasher = Xxh3::new();
    let mut piece = vec![0; 1 << 20];
    loop {
        match std::io::Read::read(&mut file, &mut piece)? {
            0 => return Ok(hasher.digest128()),
            count => hasher.update(&piece[..count]),
        }
    }
}

fn hex(key: &[u8]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}
