//! The one thread that writes: drains the queue, judges, commits with one sync, then publishes and answers, in that order.
//!
//! No answer of a job leaves before the commit of its batch, not even a refusal: it may rest on a job that is not on disk yet.

use super::Stats;
use super::anchor::{Anchor, Keeper};
use super::batch::{Batch, Finished};
use super::marks::MarkTable;
use super::options::Options;
use super::prepare::Prepared;
use super::space::Space;
use super::store::Store;
use super::tails::Tails;
use crate::ids::ConversationId;
use crate::log::error::LogError;
use crate::log::guard::Guard;
use crate::log::head::{EntryHash, Head};
use crate::log::types::{Committed, FeedCursor, Outcome};
use crate::seal::WrappedKey;
use fjall::PersistMode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};

const TICK: Duration = Duration::from_millis(200);
const MARKS_PER_BATCH_MAX: usize = 1_024;
/// Keeps one commit, and with it everybody's wait, short when bodies are large.
const BATCH_BYTES_MAX: usize = 4 << 20;

pub type Reply<T> = oneshot::Sender<Result<T, LogError>>;

pub enum Job {
    Create { head: Head, wrapped: WrappedKey, first: Vec<Prepared>, reply: Reply<(Head, bool)> },
    Append { conversation: ConversationId, drafts: Vec<Prepared>, guards: Vec<Guard>, reply: Reply<Outcome> },
    Close { reply: Reply<()> },
}

/// The permit goes with the job and comes back when it is answered.
type Queued = (Job, Option<OwnedSemaphorePermit>);

#[derive(Default)]
struct Flags {
    poisoned: AtomicBool,
    disk_low: AtomicBool,
    stopped: AtomicBool,
}

/// The queue's end that tasks hold.
pub struct Writer {
    queue: mpsc::Sender<Queued>,
    room: Arc<Semaphore>,
    room_max: usize,
    commits: watch::Receiver<FeedCursor>,
    flags: Arc<Flags>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub fn start(options: Options, store: Arc<Store>, tails: Arc<Tails>, marks: Arc<MarkTable>, end: Anchor) -> Result<Self, LogError> {
        let (queue, jobs) = mpsc::channel();
        let feed = (end.cursor, end.chain);
        let (commits, watching) = watch::channel(feed.0);
        let flags = Arc::new(Flags::default());
        let room_max = options.limits.queue_jobs_max;
        let anchor = Keeper::start(&options.dir, end)?;
        let space = Space::new(options.dir.clone(), options.free_bytes_min);
        let thread = Thread { options, store, tails, marks, feed, anchor, space, commits, flags: flags.clone() };
        let thread = std::thread::Builder::new()
            .name("log-writer".into())
            .spawn(move || thread.run(&jobs))
            .map_err(LogError::io("starting the writer thread"))?;
        Ok(Self { queue, room: Arc::new(Semaphore::new(room_max)), room_max, commits: watching, flags, thread: Mutex::new(Some(thread)) })
    }

    /// Waits for room in the queue, then for the commit.
    pub async fn run<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, LogError> {
        let permit = self.room.clone().acquire_owned().await.map_err(|_| self.gone())?;
        let (reply, answer) = oneshot::channel();
        self.queue.send((job(reply), Some(permit))).map_err(|_| self.gone())?;
        answer.await.unwrap_or_else(|_| Err(self.gone()))
    }

    pub fn refuse_when_poisoned(&self) -> Result<(), LogError> {
        if self.flags.poisoned.load(Ordering::Acquire) { Err(LogError::Poisoned) } else { Ok(()) }
    }

    pub fn watch_commits(&self) -> watch::Receiver<FeedCursor> {
        self.commits.clone()
    }

    pub fn stats(&self) -> Stats {
        Stats {
            committed: *self.commits.borrow(),
            queued: self.room_max - self.room.available_permits(),
            poisoned: self.flags.poisoned.load(Ordering::Acquire),
            disk_low: self.flags.disk_low.load(Ordering::Acquire),
            ..Stats::default()
        }
    }

    pub async fn close(&self) -> Result<(), LogError> {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return Ok(()) };
        let result = self.run(|reply| Job::Close { reply }).await;
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        if matches!(joined, Ok(Ok(()))) { result } else { Err(LogError::Poisoned) }
    }

    fn gone(&self) -> LogError {
        if self.flags.stopped.load(Ordering::Acquire) { LogError::Stopped } else { LogError::Poisoned }
    }
}

struct Thread {
    options: Options,
    store: Arc<Store>,
    tails: Arc<Tails>,
    marks: Arc<MarkTable>,
    feed: (FeedCursor, EntryHash),
    anchor: Keeper,
    space: Space,
    commits: watch::Sender<FeedCursor>,
    flags: Arc<Flags>,
}

/// Poisons when the thread ends in any other way than by being told to.
struct Alarm(Arc<Flags>, super::options::OnPoison);

impl Drop for Alarm {
    fn drop(&mut self) {
        if !self.0.stopped.load(Ordering::Acquire) && !self.0.poisoned.swap(true, Ordering::AcqRel) {
            (self.1)("the log's writer thread ended unexpectedly");
        }
    }
}

/// An answer that waits for the commit.
enum Answer {
    Created(Reply<(Head, bool)>, Result<(Head, bool), LogError>),
    Appended(Reply<Outcome>, Result<Outcome, LogError>),
}

impl Answer {
    fn send(self) {
        // Nobody waits for an answer whose task was dropped; the entry stands all the same.
        match self {
            Self::Created(reply, result) => drop(reply.send(result)),
            Self::Appended(reply, result) => drop(reply.send(result)),
        }
    }

    fn refuse(self, error: LogError) {
        match self {
            Self::Created(reply, _) => drop(reply.send(Err(error))),
            Self::Appended(reply, _) => drop(reply.send(Err(error))),
        }
    }
}

impl Thread {
    fn run(mut self, jobs: &mpsc::Receiver<Queued>) {
        let _alarm = Alarm(self.flags.clone(), self.options.on_poison.clone());
        loop {
            let first = match jobs.recv_timeout(TICK) {
                Ok(job) => Some(job),
                Err(mpsc::RecvTimeoutError::Timeout) => None,
                Err(mpsc::RecvTimeoutError::Disconnected) => break self.stop(),
            };
            match self.batch(first, jobs) {
                Ok(None) => {}
                Ok(Some(close)) => {
                    self.stop();
                    let _ = close.send(Ok(()));
                    return;
                }
                Err(error) => return self.poison(&error),
            }
        }
    }

    /// `Some` when a close was among the jobs. An error means that the commit failed.
    fn batch(&mut self, first: Option<Queued>, jobs: &mpsc::Receiver<Queued>) -> Result<Option<Reply<()>>, LogError> {
        let mut permits = Vec::new();
        let mut answers = Vec::new();
        let mut close = None;
        let now = self.options.clock.now();
        let low = self.space.is_low(now);
        self.flags.disk_low.store(low, Ordering::Release);
        let mut batch = Batch::new(&self.store, &self.tails, &self.options.limits, now, self.feed);
        let mut next = first;
        while let Some((job, permit)) = next.take() {
            permits.push(permit);
            match job {
                Job::Create { reply, .. } if low => answers.push(Answer::Created(reply, Err(LogError::DiskLow))),
                Job::Append { reply, .. } if low => answers.push(Answer::Appended(reply, Err(LogError::DiskLow))),
                Job::Create { head, wrapped, first, reply } => answers.push(Answer::Created(reply, batch.create(head, wrapped, first))),
                Job::Append { conversation, drafts, guards, reply } => {
                    answers.push(Answer::Appended(reply, batch.append(conversation, drafts, &guards)));
                }
                Job::Close { reply } => close = Some(reply),
            }
            if close.is_none() && answers.len() < self.options.limits.batch_jobs_max && batch.bytes() < BATCH_BYTES_MAX {
                next = jobs.try_recv().ok();
            }
        }
        let marks = if low { Vec::new() } else { self.marks.pending(MARKS_PER_BATCH_MAX) };
        batch.marks(&marks);
        self.space.wrote(batch.bytes());
        match commit(batch.finish()) {
            Ok(finished) => self.announce(finished, answers),
            Err(error) => {
                self.flags.poisoned.store(true, Ordering::Release);
                answers.into_iter().for_each(|answer| answer.refuse(LogError::Poisoned));
                return Err(error);
            }
        }
        self.marks.written(&marks);
        Ok(close)
    }

    /// Memory first, then those who watch, then those who asked: whoever has an answer finds what it speaks of.
    fn announce(&mut self, finished: Done, answers: Vec<Answer>) {
        self.feed = finished.feed;
        self.anchor.advance(Anchor { cursor: self.feed.0, chain: self.feed.1 });
        for working in finished.touched {
            let head = Arc::new(working.head);
            self.tails.push(head.clone(), &working.entries, working.body_bytes);
            (self.options.publish)(&Committed { head, entries: working.entries });
        }
        self.commits.send_if_modified(|cursor| std::mem::replace(cursor, finished.feed.0) != finished.feed.0);
        answers.into_iter().for_each(Answer::send);
    }

    /// Whatever is still queued is not answered with success: its senders see the channel close.
    fn poison(&self, error: &LogError) {
        self.flags.poisoned.store(true, Ordering::Release);
        tracing::error!(code = error.code(), error = ?error, "log.poisoned");
        (self.options.on_poison)("a write or sync of the message log failed");
    }

    fn stop(&mut self) {
        self.flags.stopped.store(true, Ordering::Release);
        let mut batch = Batch::new(&self.store, &self.tails, &self.options.limits, self.options.clock.now(), self.feed);
        let marks = self.marks.pending(usize::MAX);
        batch.marks(&marks);
        let result = commit(batch.finish()).and_then(|_| self.store.db.persist(PersistMode::SyncAll).map_err(LogError::engine("closing")));
        match result {
            Ok(()) => self.marks.written(&marks),
            Err(error) => tracing::error!(error = ?error, "log.close_failed"),
        }
        self.anchor.stop();
    }
}

/// What is left of a batch after its commit.
struct Done {
    feed: (FeedCursor, EntryHash),
    touched: Vec<super::batch::Working>,
}

/// Synced also when only marks are in it: then at most one batch at a time is not on disk, and `journal` can tell damage from a torn tail.
fn commit(finished: Finished) -> Result<Done, LogError> {
    let Finished { rows, feed, touched } = finished;
    rows.durability(Some(PersistMode::SyncData)).commit().map_err(LogError::engine("committing"))?;
    Ok(Done { feed, touched })
}
