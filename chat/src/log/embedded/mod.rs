//! The embedded engine: fjall behind one group-commit writer thread, with recent tails in memory.
//!
//! Only the writer changes heads, tails and rows; everybody else reads. Sealing and hashing of bodies happen on the caller's task.
//! A failed write or sync poisons the engine for good: after it nobody knows what is on disk, so nothing is acknowledged any more.

pub(super) mod anchor;
mod batch;
pub(super) mod engine;
pub(super) mod journal;
mod key_ring;
mod marks;
mod options;
mod prepare;
mod read;
pub(super) mod replay;
mod space;
pub(super) mod store;
mod tails;
mod writer;

pub use options::{Limits, Options};

use super::error::LogError;
use super::guard::Guard;
use super::head::{EntryHash, Head, LiveCall};
use super::types::{Changes, Draft, FeedCursor, Link, MarkKind, Marks, NewConversation, Outcome};
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::ids::{ConversationId, UserId};
use crate::wire;
use key_ring::KeyRing;
use marks::MarkTable;
use std::sync::Arc;
use store::Store;
use tails::Tails;
use tokio::sync::watch;
use writer::{Job, Writer};

/// What a node shows about its log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Entries and conversations ever committed: the newest feed cursor.
    pub committed: FeedCursor,
    pub queued: usize,
    pub tail_bytes: usize,
    pub poisoned: bool,
    pub disk_low: bool,
}

/// One process, one directory.
pub struct Embedded {
    store: Arc<Store>,
    tails: Arc<Tails>,
    marks: Arc<MarkTable>,
    keys: KeyRing,
    writer: Writer,
    clock: Clock,
    entropy: Entropy,
    limits: Limits,
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedded").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Embedded {
    /// Blocks while the engine recovers (below a second after a kill).
    pub fn open(options: Options) -> Result<Self, LogError> {
        let (store, end) = engine::open(&options)?;
        let store = Arc::new(store);
        let tails = Arc::new(Tails::new(options.limits.tail_bytes_max));
        let marks = Arc::new(MarkTable::default());
        let keys = KeyRing::new(options.keys.clone(), options.limits.data_keys_max);
        let (clock, entropy, limits) = (options.clock.clone(), options.entropy.clone(), options.limits.clone());
        let writer = Writer::start(options, store.clone(), tails.clone(), marks.clone(), end)?;
        Ok(Self { store, tails, marks, keys, writer, clock, entropy, limits })
    }

    pub async fn create(&self, new: NewConversation) -> Result<Head, LogError> {
        if let Some(head) = self.head(new.id).await? {
            return Ok(head);
        }
        let (key, wrapped) = self.keys.create(&self.entropy, &new).await?;
        let first = prepare::prepare_all(&self.limits, &self.entropy, &key, new.id, new.first.clone())?;
        let conversation = new.id;
        let (head, created) =
            self.writer.run(|reply| Job::Create { head: Head::beginning(&new, self.clock.now()), wrapped, first, reply }).await?;
        if created {
            self.keys.remember(conversation, Arc::new(key));
        }
        Ok(head)
    }

    pub async fn append(&self, conversation: ConversationId, drafts: Vec<Draft>, guards: Vec<Guard>) -> Result<Outcome, LogError> {
        let key = self.keys.get(&self.store, conversation).await?;
        let drafts = prepare::prepare_all(&self.limits, &self.entropy, &key, conversation, drafts)?;
        self.writer.run(|reply| Job::Append { conversation, drafts, guards, reply }).await
    }

    pub async fn head(&self, conversation: ConversationId) -> Result<Option<Head>, LogError> {
        if let Some(head) = self.tails.head(conversation) {
            return Ok(Some(Head::clone(&head)));
        }
        let store = self.store.clone();
        read::blocking(move || store.head(conversation)).await
    }

    pub async fn read(&self, conversation: ConversationId, from_seq: u64, limit: usize) -> Result<Vec<Arc<wire::Entry>>, LogError> {
        let from_seq = from_seq.max(1);
        if let Some(entries) = self.tails.read(conversation, from_seq, limit) {
            return Ok(entries);
        }
        let key = match self.keys.get(&self.store, conversation).await {
            Ok(key) => Some(key),
            Err(LogError::Key(crate::seal::KeyError::Destroyed)) => None,
            Err(other) => return Err(other),
        };
        let store = self.store.clone();
        read::blocking(move || read::entries(&store, key.as_deref(), conversation, from_seq, limit)).await
    }

    pub async fn hash_at(&self, conversation: ConversationId, seq: u64) -> Result<Option<EntryHash>, LogError> {
        if let Some(hash) = self.tails.hash_at(conversation, seq) {
            return Ok(Some(hash));
        }
        let store = self.store.clone();
        read::blocking(move || read::hash_at(&store, conversation, seq)).await
    }

    pub async fn links(&self, conversation: ConversationId, from_seq: u64, limit: usize) -> Result<Vec<Link>, LogError> {
        let store = self.store.clone();
        read::blocking(move || read::links(&store, conversation, from_seq.max(1), limit)).await
    }

    pub async fn mark(&self, conversation: ConversationId, user: UserId, kind: MarkKind, up_to: u64) -> Result<Marks, LogError> {
        let head = match self.tails.head(conversation) {
            Some(head) => head,
            None => Arc::new(self.head(conversation).await?.ok_or(LogError::UnknownConversation)?),
        };
        self.writer.refuse_when_poisoned()?;
        self.marks.raise(&self.store, &head, user, kind, up_to)
    }

    pub async fn marks(&self, conversation: ConversationId) -> Result<Vec<(UserId, Marks)>, LogError> {
        let (store, marks) = (self.store.clone(), self.marks.clone());
        read::blocking(move || marks.of(&store, conversation)).await
    }

    pub async fn conversations_of(&self, user: UserId, limit: usize) -> Result<Vec<Head>, LogError> {
        let (store, tails) = (self.store.clone(), self.tails.clone());
        read::blocking(move || read::conversations_of(&store, &tails, user, limit)).await
    }

    pub async fn live_calls(&self) -> Result<Vec<(ConversationId, LiveCall)>, LogError> {
        let store = self.store.clone();
        read::blocking(move || read::live_calls(&store)).await
    }

    pub async fn changes(&self, after: FeedCursor, limit: usize) -> Result<Changes, LogError> {
        let store = self.store.clone();
        read::blocking(move || read::changes(&store, after, limit)).await
    }

    pub fn watch_commits(&self) -> watch::Receiver<FeedCursor> {
        self.writer.watch_commits()
    }

    pub fn stats(&self) -> Stats {
        Stats { tail_bytes: self.tails.bytes(), ..self.writer.stats() }
    }

    pub async fn close(&self) -> Result<(), LogError> {
        self.writer.close().await
    }
}
