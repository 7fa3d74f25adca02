//! Checks on the repository itself: who may know whom, what may be called where, and how large things may grow.

mod banned;
mod edges;
mod sizes;

use std::path::{Path, PathBuf};

/// Folders with Rust of ours.
const CRATES: [&str; 6] = ["chat", "signaling", "media", "api", "loadtest", "tests"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests crate stands in the workspace").to_path_buf()
}

/// Every `.rs` file of ours, with its path relative to the workspace.
fn rust_files() -> Vec<(String, String)> {
    let mut files = Vec::new();
    for name in CRATES {
        collect(&root().join(name), &mut files);
    }
    files.sort();
    files
}

fn collect(folder: &Path, into: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && name != "target" && name != "node_modules" {
            collect(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
            into.push((relative, std::fs::read_to_string(&path).expect("a source file is UTF-8")));
        }
    }
}
