//! Reads fjall's journal files before fjall does, and changes nothing.
//!
//! On recovery fjall cuts a journal at the first record it cannot decode, and takes a batch's sequence number unchecked. One flipped byte
//! could so drop acknowledged batches. Every batch of ours is synced before the next begins: a whole batch after a broken place
//! means damage, not a torn tail. Format: fjall 3 (`journal/entry.rs`), little-endian.

use crate::log::error::LogError;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::xxh3_64;

const START: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
const CLEAR: u8 = 4;
const TRAILER: [u8; 4] = *b"FJL\x03";
/// fjall numbers batches one by one; a jump like this is a flipped bit.
const SEQNO_JUMP_MAX: u64 = 1 << 32;

/// Where a journal stops making sense although more follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalDamage {
    pub file: PathBuf,
    pub offset: usize,
    /// Last key before the broken place and first key after it, in hexadecimal.
    pub after_key: Option<String>,
    pub before_key: Option<String>,
}

impl std::fmt::Display for JournalDamage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = |key: &Option<String>| key.clone().unwrap_or_else(|| "none".into());
        let (file, offset) = (self.file.display(), self.offset);
        write!(f, "{file} at byte {offset}, between keys {} and {}", key(&self.after_key), key(&self.before_key))
    }
}

/// The journals of a store, oldest first.
pub fn files(store_dir: &Path) -> Result<Vec<PathBuf>, LogError> {
    let failed = |error| LogError::io("listing the journals")(error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(store_dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u64>().ok());
        match number {
            Some(number) if path.extension().is_some_and(|extension| extension == "jnl") => files.push((number, path)),
            _ => {}
        }
    }
    files.sort();
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

pub fn check(store_dir: &Path) -> Result<Vec<JournalDamage>, LogError> {
    let files = files(store_dir)?;
    let mut damages = Vec::new();
    let mut newest_seqno = None;
    for (index, file) in files.iter().enumerate() {
        let bytes = std::fs::read(file).map_err(LogError::io("reading a journal"))?;
        let sealed = index + 1 < files.len();
        if let Some(damage) = check_file(file, &bytes, sealed, &mut newest_seqno) {
            damages.push(damage);
        }
    }
    Ok(damages)
}

fn check_file(file: &Path, bytes: &[u8], sealed: bool, newest_seqno: &mut Option<u64>) -> Option<JournalDamage> {
    let mut at = 0;
    let mut last_key = None;
    while let Some(batch) = parse_batch(bytes, at).filter(|batch| follows(*newest_seqno, batch.seqno)) {
        *newest_seqno = Some(batch.seqno);
        last_key = batch.last_key.or(last_key);
        at = batch.end;
    }
    let rest = &bytes[at..];
    if rest.iter().all(|byte| *byte == 0) {
        return None;
    }
    // The newest file may end in a batch that never was acknowledged.
    let later = (at + 1..bytes.len()).filter(|start| bytes[*start] == START).find_map(|start| parse_batch(bytes, start));
    let damaged = sealed || later.is_some() || parse_batch(bytes, at).is_some();
    damaged.then(|| JournalDamage {
        file: file.to_path_buf(),
        offset: at,
        after_key: last_key.map(hex),
        before_key: later.and_then(|batch| batch.first_key).map(hex),
    })
}

fn follows(newest: Option<u64>, seqno: u64) -> bool {
    match newest {
        Some(newest) => seqno > newest && seqno - newest < SEQNO_JUMP_MAX,
        None => seqno < 1 << 56,
    }
}

struct ParsedBatch<'a> {
    seqno: u64,
    end: usize,
    first_key: Option<&'a [u8]>,
    last_key: Option<&'a [u8]>,
}

/// A whole batch with the right checksum and the promised number of items.
fn parse_batch(bytes: &[u8], start: usize) -> Option<ParsedBatch<'_>> {
    let mut cursor = Cursor { bytes, at: start };
    if cursor.u8()? != START {
        return None;
    }
    let count = cursor.u32()?;
    let mut batch = ParsedBatch { seqno: cursor.u64()?, end: 0, first_key: None, last_key: None };
    let items = cursor.at;
    for _ in 0..count {
        match cursor.u8()? {
            ITEM => {
                let key = cursor.item()?;
                batch.first_key = batch.first_key.or(Some(key));
                batch.last_key = Some(key);
            }
            CLEAR => drop(cursor.u64()?),
            _ => return None,
        }
    }
    let checksum = xxh3_64(&bytes[items..cursor.at]);
    let whole = cursor.u8()? == END && cursor.u64()? == checksum && cursor.take(TRAILER.len())? == TRAILER;
    batch.end = cursor.at;
    whole.then_some(batch)
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }
    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }
    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }
    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    /// After the item's tag; gives its key. A flipped type or compression byte shows in the checksum.
    fn item(&mut self) -> Option<&'a [u8]> {
        self.take(2)?; // value type, compression
        self.take(8)?; // keyspace
        let key_bytes = usize::from(self.u16()?);
        self.take(4)?; // value length before compression
        let value_bytes = usize::try_from(self.u32()?).ok()?;
        let key = self.take(key_bytes)?;
        self.take(value_bytes)?;
        Some(key)
    }
}

fn hex(key: &[u8]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}
