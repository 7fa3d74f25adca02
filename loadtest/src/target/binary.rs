//! Which binary is the server: the named one, else `wenzhen` beside the running executable.

use super::TargetError;
use std::path::{Path, PathBuf};

pub(super) fn find(named: Option<&Path>) -> Result<PathBuf, TargetError> {
    let path = match named {
        Some(path) => path.to_path_buf(),
        None => std::env::current_exe().unwrap_or_default().with_file_name("wenzhen"),
    };
    if path.is_file() { Ok(path) } else { Err(TargetError::NoBinary { looked_at: path }) }
}

/// A command of ours without `WENZHEN_*` variables: the server's configuration refuses those it does not know.
pub(super) fn command(program: &Path) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(program);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("WENZHEN_")) {
        command.env_remove(name);
    }
    command
}
