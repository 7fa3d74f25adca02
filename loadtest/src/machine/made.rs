//! A made tree in place of `/proc` and `/sys`, removed when dropped.

use super::Root;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

#[derive(Debug)]
pub struct Made(PathBuf);

impl Made {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("loadtest-made-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).expect("nobody has this name");
        Self(path)
    }

    pub fn root(&self) -> Root {
        Root::at(&self.0)
    }

    pub fn file(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().expect("a file stands in a folder")).expect("the made tree is ours");
        std::fs::write(path, text).expect("the made tree is ours");
    }

    pub fn remove(&self, path: &str) {
        std::fs::remove_file(self.0.join(path)).expect("it was made before");
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
