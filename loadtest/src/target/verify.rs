//! `wenzhen verify` after a run: the server's own proof that its conversations and its ledger hold together.

use super::folder::last_lines;
use super::{Launched, TargetError};
use std::process::Stdio;

#[derive(Clone, Debug)]
pub struct Verified {
    pub holds: bool,
    /// The end of what it said, on both outputs.
    pub said: String,
}

impl Launched {
    /// Stops the server first: the proof wants the stores to itself.
    pub async fn verify(&mut self) -> Result<Verified, TargetError> {
        self.stop().await?;
        let done = self.wenzhen(&["verify"]).stdin(Stdio::null()).output().await;
        let done = done.map_err(|source| TargetError::Start { what: "wenzhen verify".into(), source })?;
        let text = format!("{}{}", String::from_utf8_lossy(&done.stderr), String::from_utf8_lossy(&done.stdout));
        Ok(Verified { holds: done.status.success(), said: last_lines(&text, 10) })
    }
}
