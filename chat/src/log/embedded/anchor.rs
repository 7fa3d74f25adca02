//! The tail anchor: outside the engine, which feed position was durable, and the feed's chain there.
//!
//! The engine cuts its journal at the first record it cannot read and says so in a debug line. Below the anchor that is a refusal to open.
//! Two slots are written in turn, so that a torn write leaves the other.

use super::store::Store;
use crate::log::chain;
use crate::log::error::LogError;
use crate::log::head::EntryHash;
use crate::log::row::EntryRow;
use crate::log::types::FeedCursor;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

pub const FILE: &str = "anchor";
const MAGIC: [u8; 8] = *b"wzanchr1";
const SLOT_BYTES: usize = 64;
const INTERVAL: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    pub cursor: FeedCursor,
    pub chain: EntryHash,
}

pub const BEGINNING: Anchor = Anchor { cursor: 0, chain: chain::FEED_BEGINNING };

impl Anchor {
    fn encode(&self) -> [u8; SLOT_BYTES] {
        let mut slot = [0; SLOT_BYTES];
        slot[..8].copy_from_slice(&MAGIC);
        slot[8..16].copy_from_slice(&self.cursor.to_be_bytes());
        slot[16..48].copy_from_slice(&self.chain.0);
        let sum = Sha256::digest(&slot[..48]);
        slot[48..].copy_from_slice(&sum[..16]);
        slot
    }

    fn decode(slot: &[u8]) -> Option<Self> {
        let slot: &[u8; SLOT_BYTES] = slot.try_into().ok()?;
        let cursor = u64::from_be_bytes(slot[8..16].try_into().ok()?);
        let anchor = Self { cursor, chain: EntryHash(slot[16..48].try_into().ok()?) };
        (anchor.encode() == *slot).then_some(anchor)
    }
}

/// The newest slot that is whole; `None` when there is no file.
pub fn read(dir: &Path) -> Result<Option<Anchor>, LogError> {
    let bytes = match std::fs::read(dir.join(FILE)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(LogError::io("reading the tail anchor")(error)),
    };
    let newest = bytes.chunks(SLOT_BYTES).filter_map(Anchor::decode).max_by_key(|anchor| anchor.cursor);
    newest.map(Some).ok_or_else(|| damaged("the tail anchor is unreadable".into()))
}

/// Before the engine's directory is made: a store without an anchor is never a new one.
pub fn create(dir: &Path) -> Result<(), LogError> {
    let failed = |error| LogError::io("making the tail anchor")(error);
    let mut file = File::create(dir.join(FILE)).map_err(failed)?;
    file.write_all(&BEGINNING.encode())
        .and_then(|()| file.write_all(&BEGINNING.encode()))
        .and_then(|()| file.sync_all())
        .map_err(failed)?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed)
}

/// The store reaches the anchor, with the same history, and everything after it is whole: every feed row follows the one before it and
/// names an entry that stands there. Returns the feed's end.
pub fn check(store: &Store, anchor: &Anchor) -> Result<Anchor, LogError> {
    let (end, end_chain) = store.feed_end()?;
    if end < anchor.cursor {
        return Err(damaged(format!("commits {} to {} were acknowledged and are gone", end + 1, anchor.cursor)));
    }
    if anchor.cursor > 0 && store.feed_row(anchor.cursor)?.map(|row| row.chain) != Some(anchor.chain) {
        return Err(damaged(format!("commit {} is not the one that was anchored", anchor.cursor)));
    }
    let mut chain = anchor.chain;
    for cursor in anchor.cursor + 1..=end {
        let row = store.feed_row(cursor)?.ok_or_else(|| damaged(format!("commit {cursor} is missing")))?;
        let hash = tail_hash(store, &row)?;
        chain = chain::feed_next(&chain, cursor, row.conversation, row.seq, &hash);
        if chain != row.chain {
            return Err(damaged(format!("commit {cursor} does not follow the one before it")));
        }
    }
    if chain != end_chain {
        return Err(damaged(format!("commit {end} does not follow the anchored one")));
    }
    Ok(Anchor { cursor: end, chain })
}

fn tail_hash(store: &Store, row: &crate::log::row::FeedRow) -> Result<EntryHash, LogError> {
    if row.seq == 0 {
        return Ok(chain::beginning(row.conversation));
    }
    let missing = || LogError::damaged(row.conversation, row.seq, "the feed names an entry that is not there");
    let bytes = store.entry(row.conversation, row.seq)?.ok_or_else(missing)?;
    let entry = EntryRow::decode(&bytes).map_err(|error| LogError::damaged(row.conversation, row.seq, error.to_string()))?;
    let previous = store.entry_hash(row.conversation, row.seq - 1)?.ok_or_else(missing)?;
    if !entry.follows(&previous, row.conversation, row.seq) {
        return Err(LogError::damaged(row.conversation, row.seq, "the entry does not follow the one before it"));
    }
    Ok(entry.hash)
}

/// Writes the newest durable position twice a second, on a thread of its own: the writer does not wait for this file.
pub struct Keeper {
    end: Arc<Mutex<Anchor>>,
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    pub fn start(dir: &Path, end: Anchor) -> Result<Self, LogError> {
        let failed = |error| LogError::io("opening the tail anchor")(error);
        let mut file = File::options().read(true).write(true).open(dir.join(FILE)).map_err(failed)?;
        let mut slots = Vec::new();
        file.read_to_end(&mut slots).map_err(failed)?;
        // The slot that is not the newest whole one comes first.
        let newest = slots.chunks(SLOT_BYTES).map(Anchor::decode).enumerate().max_by_key(|(_, slot)| slot.map(|anchor| anchor.cursor));
        let mut turn = newest.map_or(0, |(index, _)| u64::from(index == 0));
        let end = Arc::new(Mutex::new(end));
        let (stop, stopped) = mpsc::channel();
        let shared = end.clone();
        let mut written = None;
        let run = move || loop {
            let last = !matches!(stopped.recv_timeout(INTERVAL), Err(mpsc::RecvTimeoutError::Timeout));
            let now = *shared.lock().unwrap_or_else(PoisonError::into_inner);
            if written != Some(now) {
                match write(&mut file, turn % 2, &now) {
                    Ok(()) => (written, turn) = (Some(now), turn + 1),
                    Err(error) => tracing::error!(error = ?error, "log.anchor_failed"),
                }
            }
            if last {
                return;
            }
        };
        let thread = std::thread::Builder::new().name("log-anchor".into()).spawn(run).map_err(failed)?;
        Ok(Self { end, stop: Some(stop), thread: Some(thread) })
    }

    /// Only what is on disk.
    pub fn advance(&self, end: Anchor) {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = end;
    }

    /// Writes the last position and waits for it.
    pub fn stop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("log.anchor_thread_died");
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop();
    }
}

fn write(file: &mut File, slot: u64, anchor: &Anchor) -> std::io::Result<()> {
    file.seek(SeekFrom::Start(slot * SLOT_BYTES as u64))?;
    file.write_all(&anchor.encode())?;
    file.sync_data()
}

fn damaged(what: String) -> LogError {
    LogError::Damaged { conversation: None, seq: None, what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_slot_leaves_the_other_and_two_torn_ones_are_damage() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path()).unwrap(), None);
        create(dir.path()).unwrap();
        let anchor = |cursor| Anchor { cursor, chain: EntryHash([cursor as u8; 32]) };
        let mut keeper = Keeper::start(dir.path(), BEGINNING).unwrap();
        keeper.advance(anchor(5));
        keeper.stop();
        let mut keeper = Keeper::start(dir.path(), anchor(5)).unwrap();
        keeper.advance(anchor(9));
        keeper.stop();
        assert_eq!(read(dir.path()).unwrap(), Some(anchor(9)));
        let path = dir.path().join(FILE);
        let whole = std::fs::read(&path).unwrap();
        let newest = usize::from(Anchor::decode(&whole[64..]) == Some(anchor(9)));
        let mut torn = whole.clone();
        torn[newest * 64 + 20] ^= 1;
        std::fs::write(&path, &torn).unwrap();
        assert_eq!(read(dir.path()).unwrap(), Some(anchor(5)));
        torn[(1 - newest) * 64 + 60] ^= 1;
        std::fs::write(&path, &torn).unwrap();
        assert_eq!(read(dir.path()).unwrap_err().code(), "log_damaged");
    }
}
