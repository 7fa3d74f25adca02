//! Where `/proc` and `/sys` are read.

#[cfg(test)]
use std::path::Path;
use std::path::PathBuf;
use std::str::FromStr;

#[derive(Clone, Debug)]
pub struct Root(PathBuf);

impl Default for Root {
    fn default() -> Self {
        Self(PathBuf::from("/"))
    }
}

impl Root {
    #[cfg(test)]
    pub fn at(path: &Path) -> Self {
        Self(path.to_path_buf())
    }

    /// `path` is relative: `proc/loadavg`.
    pub fn path(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    pub fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.path(path)).ok()
    }

    /// A file that holds one value.
    pub fn value<T: FromStr>(&self, path: &str) -> Option<T> {
        self.read(path)?.trim().parse().ok()
    }

    /// `Name:   12 kB` of a file such as `proc/meminfo`, in bytes.
    pub fn kib_line(&self, path: &str, name: &str) -> Option<u64> {
        kib_line(&self.read(path)?, name)
    }
}

pub(super) fn kib_line(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    rest.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}
