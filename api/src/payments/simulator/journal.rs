//! The simulated channel's memory: one JSON line per change, read whole at start, the newest line of a number wins.
//! What changes together is written together: a kill leaves all of it or nothing.

use super::book::Change;
use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::Path,
};

#[derive(Debug)]
pub struct Journal {
    file: File,
}

impl Journal {
    /// Hands every change of the past to `replay`. A torn last line (killed while writing) is what nobody was told about.
    pub fn open(path: &Path, mut replay: impl FnMut(Change)) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut whole = true;
        for line in BufReader::new(&file).lines() {
            let line = line?;
            match serde_json::from_str(&line) {
                Ok(change) => replay(change),
                Err(_) => whole = false,
            }
        }
        if !whole {
            file.write_all(b"\n")?;
        }
        Ok(Self { file })
    }

    pub fn append(&mut self, changes: &[Change]) -> io::Result<()> {
        let mut lines = Vec::new();
        for change in changes {
            serde_json::to_writer(&mut lines, change)?;
            lines.push(b'\n');
        }
        self.file.write_all(&lines)
    }
}
