//! Sets aside a last batch that was torn, when the log refuses to open because of it. For a stopped server only.
//!
//! Never cuts below the anchor and nothing but the end of the newest journal: anything else is for a backup. What is cut is kept in a side
//! file first; whether the rest is sound is tried on a copy before the first byte changes.

use super::embedded::journal::{Journal, Rest};
use super::embedded::{anchor, engine, replay};
use super::error::LogError;
use super::verify::files;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

const CACHE_BYTES: u64 = 16 << 20;

/// What was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    pub journal: PathBuf,
    /// The journal ends here now.
    pub offset: usize,
    pub bytes: usize,
    /// Holds the bytes that were cut.
    pub side_file: PathBuf,
    /// Commits that stand, the anchored ones among them.
    pub commits: u64,
    pub anchored: u64,
}

/// `None` when no batch is torn. `InUse` while a server runs; `Damaged` when this is more than a torn end.
pub fn repair(dir: &Path) -> Result<Option<Repaired>, LogError> {
    let _lock = engine::lock(dir)?;
    let damaged = |what: &str| LogError::Damaged { conversation: None, seq: None, what: what.into() };
    let anchor = anchor::read(dir)?.ok_or_else(|| damaged("the tail anchor is missing"))?;
    let store_dir = dir.join(engine::STORE);
    let pending = replay::read(&store_dir)?;
    let damage = pending.journals.iter().find_map(|journal| match &journal.rest {
        Rest::Damage(damage) => Some(damage.to_string()),
        _ => None,
    });
    if let Some(damage) = damage {
        return Err(damaged(&format!("more than the end is broken: journal {damage}")));
    }
    let Some(torn) = pending.journals.iter().position(|journal| journal.rest != Rest::Nothing) else { return Ok(None) };
    let (journal, offset, cut) = {
        let journal: &Journal = &pending.journals[torn];
        (journal.file.clone(), journal.whole_bytes, journal.rest_bytes().to_vec())
    };
    // Only whole batches are replayed, as if the end were cut already.
    let copy = files::copy(&store_dir)?;
    let end = anchor::check(&engine::open_store(copy.path(), Some(pending), CACHE_BYTES, &anchor)?, &anchor)?;
    let side_file = set_aside(dir, &journal, offset, &cut)?;
    let shortened = File::options().write(true).open(&journal).and_then(|file| {
        file.set_len(offset as u64)?;
        file.sync_all()
    });
    shortened.map_err(LogError::io("cutting the journal"))?;
    Ok(Some(Repaired { journal, offset, bytes: cut.len(), side_file, commits: end.cursor, anchored: anchor.cursor }))
}

/// Beside the store, named after the place the bytes come from; never over another one.
fn set_aside(dir: &Path, journal: &Path, offset: usize, cut: &[u8]) -> Result<PathBuf, LogError> {
    let name = journal.file_name().unwrap_or_default().to_string_lossy();
    let place = |attempt: u32| dir.join(format!("cut-{name}-{offset}-{attempt}"));
    let free = (0..).map(place).find(|path| !path.exists()).expect("a folder holds fewer files than there are numbers");
    let written = File::create_new(&free).and_then(|mut file| {
        file.write_all(cut)?;
        file.sync_all()?;
        File::open(dir)?.sync_all()
    });
    written.map_err(LogError::io("keeping what is cut"))?;
    Ok(free)
}
