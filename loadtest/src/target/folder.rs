//! The folder of one launched server: data, keys, configuration and log. Readable by the owner only, because of the keys.

use super::TargetError;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    kept: bool,
}

impl Folder {
    /// `keep`: exactly that folder, which stays; it may hold the data of an earlier run.
    pub fn create(keep: Option<&Path>) -> Result<Self, TargetError> {
        let folder = match keep {
            Some(path) => {
                let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
                make(&path, true).map_err(|source| TargetError::Folder { path: path.clone(), source })?;
                Self { path, kept: true }
            }
            None => Self { path: fresh()?, kept: false },
        };
        Ok(folder)
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    #[cfg(test)]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The last lines of a file in it.
    pub fn tail(&self, name: &str, lines_max: usize) -> String {
        let text = std::fs::read(self.join(name)).unwrap_or_default();
        last_lines(&String::from_utf8_lossy(&text), lines_max)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed is in the temporary folder, where the system cleans up.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

pub(super) fn last_lines(text: &str, lines_max: usize) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(lines_max)..].join("\n")
}

/// A name that nobody has: making the folder is what takes the name.
fn fresh() -> Result<PathBuf, TargetError> {
    let parent = std::env::temp_dir();
    let mut number = 0_u32;
    loop {
        let path = parent.join(format!("wenzhen-loadtest-{}-{number}", std::process::id()));
        match make(&path, false) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            Err(source) => return Err(TargetError::Folder { path, source }),
        }
    }
}

fn make(path: &Path, parents: bool) -> std::io::Result<()> {
    std::fs::DirBuilder::new().mode(0o700).recursive(parents).create(path)
}
