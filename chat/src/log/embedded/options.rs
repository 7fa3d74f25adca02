//! How the embedded engine is opened.

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::log::types::Committed;
use crate::seal::KeySource;
use std::path::PathBuf;
use std::sync::Arc;

/// Called on the writer thread after the commit; must not block.
pub type Publish = Arc<dyn Fn(&Committed) + Send + Sync>;
/// Called once, on the writer thread, when nothing can be acknowledged any more. The process should exit with 74.
pub type OnPoison = Arc<dyn Fn(&str) + Send + Sync>;

#[derive(Clone)]
pub struct Options {
    /// Holds `store/` (the engine's) and `anchor`.
    pub dir: PathBuf,
    pub clock: Clock,
    pub entropy: Entropy,
    pub keys: Arc<dyn KeySource>,
    pub publish: Publish,
    pub on_poison: OnPoison,
    pub limits: Limits,
    /// Below this much free space nothing is accepted, so that the engine can still flush and compact.
    pub free_bytes_min: u64,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("dir", &self.dir).field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Options {
    /// Default limits, nobody to publish to, nothing done on poison.
    pub fn new(dir: impl Into<PathBuf>, clock: Clock, entropy: Entropy, keys: Arc<dyn KeySource>) -> Self {
        Self {
            dir: dir.into(),
            clock,
            entropy,
            keys,
            publish: Arc::new(|_| {}),
            on_poison: Arc::new(|_| {}),
            limits: Limits::default(),
            free_bytes_min: 256 << 20,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    pub entries_per_conversation_max: u64,
    /// Plain body as protobuf. 4,000 characters of Chinese are 12,000 bytes.
    pub body_bytes_max: usize,
    pub drafts_per_append_max: usize,
    /// Membership intervals of a conversation, those who left included.
    pub members_max: usize,
    /// Jobs waiting for the writer; more wait in their own tasks.
    pub queue_jobs_max: usize,
    pub batch_jobs_max: usize,
    /// Memory ring of recent entries over all conversations.
    pub tail_bytes_max: usize,
    pub data_keys_max: usize,
    pub block_cache_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries_per_conversation_max: 100_000,
            body_bytes_max: 32 << 10,
            drafts_per_append_max: 64,
            members_max: 256,
            queue_jobs_max: 8_192,
            batch_jobs_max: 2_048,
            tail_bytes_max: 64 << 20,
            data_keys_max: 16_384,
            block_cache_bytes: 64 << 20,
        }
    }
}
