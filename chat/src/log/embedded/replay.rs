//! Brings back what was committed and not yet in tables: fjall opens with an empty journal, and the rows of the old ones that no table
//! has go into it as one synced batch. fjall's own replay looks up a name for each row and hashes it twice.
//!
//! Never loses its place: the old journals stand in `replay-N/` until journal N holds that batch on disk, and nobody is acknowledged
//! before they are gone. Whatever step a crash interrupts, the next opening finds either them or the batch.

use super::journal::{self, Journal};
use super::store::Store;
use crate::log::error::LogError;
use fjall::{AbstractTree, Keyspace, PersistMode};
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

const ASIDE: &str = "replay-";

/// What the journals of a store say, read before anything is changed.
pub struct Pending {
    pub journals: Vec<Journal>,
    /// Number of the journal that takes over.
    next: u64,
    /// An interrupted opening's, whose rows are all in the journals above.
    finished: Option<u64>,
}

pub fn read(store_dir: &Path) -> Result<Pending, LogError> {
    let files = journal::files(store_dir)?;
    let after = |files: &[(u64, PathBuf)]| files.last().map_or(0, |(number, _)| number + 1);
    let Some(number) = find_aside(store_dir)? else {
        return Ok(Pending { journals: journal::read(&files)?, next: after(&files), finished: None });
    };
    let (mut old, new): (Vec<_>, Vec<_>) = files.into_iter().partition(|(file, _)| *file < number);
    let newer = journal::read(&new)?;
    if newer.first().is_some_and(Journal::holds_batches) {
        return Ok(Pending { journals: newer, next: after(&new), finished: Some(number) });
    }
    old.extend(journal::files(&aside(store_dir, number))?);
    old.sort();
    Ok(Pending { journals: journal::read(&old)?, next: number, finished: None })
}

fn find_aside(store_dir: &Path) -> Result<Option<u64>, LogError> {
    let failed = |error| LogError::io("listing the store")(error);
    for entry in std::fs::read_dir(store_dir).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if let Some(number) = name.to_str().and_then(|name| name.strip_prefix(ASIDE)?.parse().ok()) {
            return Ok(Some(number));
        }
    }
    Ok(None)
}

fn aside(store_dir: &Path, number: u64) -> PathBuf {
    store_dir.join(format!("{ASIDE}{number}"))
}

impl Pending {
    /// Leaves fjall an empty journal. Not none at all: without one it begins to number batches from zero again.
    pub fn set_aside(&self, store_dir: &Path) -> Result<(), LogError> {
        let aside = aside(store_dir, self.next);
        let new = store_dir.join(format!("{}.jnl", self.next));
        let moved = || {
            if let Some(number) = self.finished {
                forget(store_dir, number)?;
            }
            std::fs::create_dir_all(&aside)?;
            // What an interrupted opening began to write there is still wholly in the old ones.
            remove_if_there(&new)?;
            for name in self.journals.iter().filter_map(|journal| journal.file.file_name()) {
                let file = store_dir.join(name);
                if file.exists() {
                    std::fs::rename(file, aside.join(name))?;
                }
            }
            sync_dir(&aside)?;
            File::create_new(&new)?.sync_all()?;
            sync_dir(store_dir)
        };
        moved().map_err(LogError::io("setting the journals aside"))
    }

    /// Every row that no table has, the newest of each key, in one commit; then the old journals go.
    pub fn take_over(&self, store: &Store, store_dir: &Path) -> Result<usize, LogError> {
        let rows = self.rows(store)?;
        let mut batch = store.db.batch().durability(Some(PersistMode::SyncAll));
        for (keyspace, key, value) in &rows {
            match value {
                Some(value) => batch.insert(keyspace, *key, *value),
                None => batch.remove(keyspace, *key),
            }
        }
        batch.commit().map_err(LogError::engine("replaying the journal"))?;
        forget(store_dir, self.next).map_err(LogError::io("removing the old journals"))?;
        Ok(rows.len())
    }

    fn rows<'a>(&'a self, store: &'a Store) -> Result<Vec<Row<'a>>, LogError> {
        let keyspaces: HashMap<u64, (&Keyspace, Option<u64>)> = store
            .keyspaces()
            .into_iter()
            .map(|keyspace| (keyspace.id(), (keyspace, keyspace.tree.get_highest_persisted_seqno())))
            .collect();
        let mut rows: Vec<Row<'a>> = Vec::new();
        let mut places: HashMap<(u64, &[u8]), usize> = HashMap::new();
        for item in self.journals.iter().flat_map(Journal::items) {
            let Some((keyspace, persisted)) = keyspaces.get(&item.keyspace) else {
                let what = format!("the journal writes to keyspace {}, which is not there", item.keyspace);
                return Err(LogError::Damaged { conversation: None, seq: None, what });
            };
            // A memtable reaches the tables whole and in order, so that up to there nothing of this keyspace is missing.
            if persisted.is_some_and(|persisted| item.seqno <= persisted) {
                continue;
            }
            let place = *places.entry((item.keyspace, item.key)).or_insert(rows.len());
            match rows.get_mut(place) {
                Some(row) => row.2 = item.value,
                None => rows.push((keyspace, item.key, item.value)),
            }
        }
        Ok(rows)
    }
}

type Row<'a> = (&'a Keyspace, &'a [u8], Option<&'a [u8]>);

fn forget(store_dir: &Path, number: u64) -> std::io::Result<()> {
    std::fs::remove_dir_all(aside(store_dir, number))?;
    sync_dir(store_dir)
}

fn remove_if_there(file: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn sync_dir(dir: &Path) -> std::io::Result<()> {
    File::open(dir)?.sync_all()
}
