//! Reads fjall's journal files instead of fjall, which takes a second for each 100 MB, and changes nothing.
//!
//! On recovery fjall cuts a journal at the first record it cannot decode, and takes a batch's sequence number unchecked: one flipped byte
//! could so drop acknowledged batches. Every batch of ours is synced before the next begins: a whole batch after a broken place
//! means damage, not a torn tail. Format: fjall 3 (`journal/entry.rs`), little-endian; ours are never compressed and never clear.

use crate::log::error::LogError;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::xxh3_64;

const START: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
const UNCOMPRESSED: u8 = 0;
const VALUE: u8 = 0;
const TOMBSTONE: u8 = 1;
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

/// One file, its whole batches, and what comes after them.
pub struct Journal {
    pub file: PathBuf,
    pub bytes: Vec<u8>,
    /// Where each batch stands, oldest first.
    batches: Vec<Place>,
    /// End of the last whole batch.
    pub whole_bytes: usize,
    pub rest: Rest,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rest {
    Nothing,
    /// Begun and not finished: what a process leaves that is killed while it writes. Nothing after it was ever acknowledged.
    Torn,
    /// Reaches its end mark and is wrong inside: pages that a power loss kept apart, or damage to a batch that was acknowledged.
    Finished,
    Damage(JournalDamage),
}

struct Place {
    seqno: u64,
    items: std::ops::Range<usize>,
}

pub struct Item<'a> {
    pub seqno: u64,
    pub keyspace: u64,
    pub key: &'a [u8],
    /// `None` removes the key.
    pub value: Option<&'a [u8]>,
}

impl Journal {
    pub fn holds_batches(&self) -> bool {
        !self.batches.is_empty()
    }

    /// Rows of the whole batches, as they were written.
    pub fn items(&self) -> impl Iterator<Item = Item<'_>> {
        self.batches.iter().flat_map(|place| {
            let mut cursor = Cursor { bytes: &self.bytes[..place.items.end], at: place.items.start };
            std::iter::from_fn(move || cursor.item(place.seqno))
        })
    }

    /// What stands after the whole batches, without the zeros that files are made with.
    pub fn rest_bytes(&self) -> &[u8] {
        let rest = &self.bytes[self.whole_bytes..];
        &rest[..rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)]
    }

    pub fn torn_tail(&self) -> LogError {
        LogError::TornTail { file: self.file.clone(), offset: self.whole_bytes, bytes: self.rest_bytes().len() }
    }
}

/// The journals of a folder with their numbers, oldest first.
pub fn files(dir: &Path) -> Result<Vec<(u64, PathBuf)>, LogError> {
    let failed = |error| LogError::io("listing the journals")(error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u64>().ok());
        match number {
            Some(number) if path.extension().is_some_and(|extension| extension == "jnl") => files.push((number, path)),
            _ => {}
        }
    }
    files.sort();
    Ok(files)
}

/// Each file on a thread of its own: at most three, two of them full.
pub fn read(files: &[(u64, PathBuf)]) -> Result<Vec<Journal>, LogError> {
    let read_one = |index: usize, file: &PathBuf| {
        let bytes = std::fs::read(file).map_err(LogError::io("reading a journal"))?;
        Ok(scan(file, bytes, index + 1 < files.len()))
    };
    let mut journals = std::thread::scope(|scope| {
        let reading: Vec<_> = files.iter().enumerate().map(|(index, (_, file))| scope.spawn(move || read_one(index, file))).collect();
        reading.into_iter().map(|thread| thread.join().expect("scanning checks every index")).collect::<Result<Vec<_>, LogError>>()
    })?;
    let mut newest = None;
    for journal in &mut journals {
        if let (Some(newest), Some(first)) = (newest, journal.batches.first())
            && !follows(Some(newest), first.seqno)
        {
            journal.rest = Rest::Damage(JournalDamage { file: journal.file.clone(), offset: 0, after_key: None, before_key: None });
        }
        newest = journal.batches.last().map(|last| last.seqno).or(newest);
    }
    Ok(journals)
}

fn scan(file: &Path, bytes: Vec<u8>, sealed: bool) -> Journal {
    let (mut at, mut batches, mut last_key) = (0, Vec::<Place>::new(), None);
    while let Some(batch) = parse_batch(&bytes, at).filter(|batch| follows(batches.last().map(|last| last.seqno), batch.seqno)) {
        last_key = batch.last_key.or(last_key);
        at = batch.end;
        batches.push(Place { seqno: batch.seqno, items: batch.items });
    }
    let last_key = last_key.map(hex);
    let mut journal = Journal { file: file.to_path_buf(), bytes, batches, whole_bytes: at, rest: Rest::Nothing };
    journal.rest = judge(&journal, sealed, last_key);
    journal
}

fn judge(journal: &Journal, sealed: bool, after_key: Option<String>) -> Rest {
    let (bytes, at) = (&journal.bytes, journal.whole_bytes);
    let rest = journal.rest_bytes();
    if rest.is_empty() {
        return Rest::Nothing;
    }
    let later = (at + 1..at + rest.len()).filter(|start| bytes[*start] == START).find_map(|start| parse_batch(bytes, start));
    // Only the newest file may end in a batch that never was acknowledged.
    if sealed || later.is_some() || parse_batch(bytes, at).is_some() {
        let before_key = later.and_then(|batch| batch.first_key).map(hex);
        return Rest::Damage(JournalDamage { file: journal.file.clone(), offset: at, after_key, before_key });
    }
    if rest.ends_with(&TRAILER) { Rest::Finished } else { Rest::Torn }
}

fn follows(newest: Option<u64>, seqno: u64) -> bool {
    match newest {
        Some(newest) => seqno > newest && seqno - newest < SEQNO_JUMP_MAX,
        None => seqno < 1 << 56,
    }
}

struct ParsedBatch<'a> {
    seqno: u64,
    items: std::ops::Range<usize>,
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
    let seqno = cursor.u64()?;
    let items = cursor.at;
    let (mut first_key, mut last_key) = (None, None);
    for _ in 0..count {
        let key = cursor.item(seqno)?.key;
        first_key = first_key.or(Some(key));
        last_key = Some(key);
    }
    let items = items..cursor.at;
    let whole = cursor.u8()? == END && cursor.u64()? == xxh3_64(&bytes[items.clone()]) && cursor.take(TRAILER.len())? == TRAILER;
    whole.then_some(ParsedBatch { seqno, items, end: cursor.at, first_key, last_key })
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

    fn item(&mut self, seqno: u64) -> Option<Item<'a>> {
        if self.u8()? != ITEM {
            return None;
        }
        let kind = self.u8()?;
        let compression = self.u8()?;
        let keyspace = self.u64()?;
        let key_bytes = usize::from(self.u16()?);
        let (value_bytes, stored_bytes) = (self.u32()?, self.u32()?);
        let key = self.take(key_bytes)?;
        let value = self.take(usize::try_from(stored_bytes).ok()?)?;
        let ours = compression == UNCOMPRESSED && value_bytes == stored_bytes && kind <= TOMBSTONE;
        ours.then_some(Item { seqno, keyspace, key, value: (kind == VALUE).then_some(value) })
    }
}

fn hex(key: &[u8]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}
