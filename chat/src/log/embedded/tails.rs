//! Heads and recent entries of the conversations that are talked in now, so that a reconnect storm reads no disk.
//!
//! Only the writer puts something in, after its commit: a reader that filled a gap could put an older head over a newer one.

use crate::ids::ConversationId;
use crate::log::head::{EntryHash, Head};
use crate::wire;
use lru::LruCache;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const SHARDS: usize = 16;
const ENTRIES_PER_TAIL_MAX: usize = 256;
/// A head, its members, the map's slot: what a tail costs besides its entries.
const TAIL_OVERHEAD_BYTES: usize = 640;
/// The decoded form of an entry besides its text: three ids as text, the hash, the allocations.
const ENTRY_OVERHEAD_BYTES: usize = 400;

pub struct Tails {
    shards: Vec<Mutex<Shard>>,
    shard_bytes_max: usize,
}

struct Shard {
    tails: LruCache<ConversationId, Tail>,
    bytes: usize,
}

struct Tail {
    head: Arc<Head>,
    /// Consecutive, ending at the head.
    entries: VecDeque<Arc<wire::Entry>>,
    bytes: usize,
}

impl Tails {
    pub fn new(bytes_max: usize) -> Self {
        let shard = || Mutex::new(Shard { tails: LruCache::unbounded(), bytes: 0 });
        Self { shards: std::iter::repeat_with(shard).take(SHARDS).collect(), shard_bytes_max: bytes_max / SHARDS }
    }

    pub fn head(&self, conversation: ConversationId) -> Option<Arc<Head>> {
        self.shard(conversation).tails.get(&conversation).map(|tail| tail.head.clone())
    }

    /// `None` when the wanted range is not wholly in memory.
    pub fn read(&self, conversation: ConversationId, from_seq: u64, limit: usize) -> Option<Vec<Arc<wire::Entry>>> {
        let mut shard = self.shard(conversation);
        let tail = shard.tails.get(&conversation)?;
        let skip = from_seq.checked_sub(tail.first_seq())?;
        Some(tail.entries.iter().skip(usize::try_from(skip).ok()?).take(limit).cloned().collect())
    }

    pub fn hash_at(&self, conversation: ConversationId, seq: u64) -> Option<EntryHash> {
        if seq == 0 {
            return None; // whether the conversation exists is the store's to say
        }
        let mut shard = self.shard(conversation);
        let tail = shard.tails.get(&conversation)?;
        if seq == tail.head.seq {
            return Some(tail.head.hash);
        }
        let at = usize::try_from(seq.checked_sub(tail.first_seq())?).ok()?;
        let hash = tail.entries.get(at)?.hash.as_ref().try_into().ok()?;
        Some(EntryHash(hash))
    }

    /// Writer only, after the commit. `entries` are the newest up to `head`.
    pub fn push(&self, head: Arc<Head>, entries: &[Arc<wire::Entry>], body_bytes: usize) {
        let conversation = head.conversation;
        let mut shard = self.shard(conversation);
        let shard = &mut *shard;
        let mut tail = shard.tails.pop(&conversation).unwrap_or_else(|| Tail { head: head.clone(), entries: VecDeque::new(), bytes: 0 });
        shard.bytes -= tail.bytes;
        tail.head = head;
        tail.entries.extend(entries.iter().cloned());
        tail.bytes = tail.bytes.max(TAIL_OVERHEAD_BYTES) + body_bytes + entries.len() * ENTRY_OVERHEAD_BYTES;
        tail.shorten();
        shard.bytes += tail.bytes;
        shard.tails.put(conversation, tail);
        while shard.bytes > self.shard_bytes_max
            && let Some((_, oldest)) = shard.tails.pop_lru()
        {
            shard.bytes -= oldest.bytes;
        }
    }

    pub fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).bytes).sum()
    }

    fn shard(&self, conversation: ConversationId) -> MutexGuard<'_, Shard> {
        // The last byte of a UUIDv7 is random.
        let index = usize::from(conversation.as_bytes()[15]) % SHARDS;
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tail {
    /// First seq held; one past the head when nothing is.
    fn first_seq(&self) -> u64 {
        self.head.seq + 1 - self.entries.len() as u64
    }

    fn shorten(&mut self) {
        let excess = self.entries.len().saturating_sub(ENTRIES_PER_TAIL_MAX);
        if excess > 0 {
            let share = (self.bytes - TAIL_OVERHEAD_BYTES) / self.entries.len();
            self.entries.drain(..excess);
            self.bytes -= share * excess;
        }
    }
}
