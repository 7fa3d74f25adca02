//! The end of a run: every stream is made whole, and one member of each conversation reads its part of the run from the store.

use super::hear::PAGE_ENTRIES;
use super::{Do, Seat, Talker};
use chat::wire::{Page, Pull, command, event};
use std::collections::HashSet;
use std::time::Duration;
use tokio::sync::oneshot;

/// For one answer of the final read.
const ANSWER: Duration = Duration::from_secs(20);

/// Waits until everybody has done what he was told up to now: a line that waits in somebody's inbox on a busy machine is not yet among
/// those whose answer is awaited, and would come after others have read to the end. False when patience ended first.
pub async fn all_done(seats: &[Seat], patience: Duration) -> bool {
    let mut waiting = Vec::with_capacity(seats.len());
    for seat in seats {
        let (done, finished) = oneshot::channel();
        seat.tell(Do::Reach { done });
        waiting.push(finished);
    }
    let all = async {
        for finished in waiting {
            // A talker who is gone for good has nothing more to do.
            let _ = finished.await;
        }
    };
    tokio::time::timeout(patience, all).await.is_ok()
}

/// Tells everybody to finish and waits until they have. The first of each conversation is its reader.
pub async fn read_all(seats: Vec<Seat>, tasks: Vec<tokio::task::JoinHandle<()>>) {
    let mut read = HashSet::new();
    let mut waiting = Vec::with_capacity(seats.len());
    for seat in &seats {
        let (done, finished) = oneshot::channel();
        seat.tell(Do::Finish { reader: read.insert(seat.conversation), done });
        waiting.push(finished);
    }
    for finished in waiting {
        // A talker that ended without answering has said why in the accounts.
        let _ = finished.await;
    }
    for task in tasks {
        task.abort();
    }
}

impl Talker {
    pub(super) async fn finish(&mut self, reader: bool) {
        // A reader of the slow kind reads the end at full speed, or the run would never end.
        self.habits.reads_bytes_per_s = None;
        self.deaf_until_micros = None;
        self.habits.closed_until_micros = None;
        self.run.ledger(|ledger| ledger.reconnected(self.person, self.conversation));
        self.catch_up().await;
        if reader {
            self.read_conversation().await;
        }
        if let Some(socket) = self.socket.take() {
            socket.close().await;
        }
    }

    /// Learns the head and pulls until the stream is whole.
    async fn catch_up(&mut self) {
        let mut from_seq = 0;
        while let Some(page) = self.ask(from_seq).await {
            self.hear(event::Kind::Page(page.clone())).await;
            let whole = self.run.ledger(|ledger| ledger.whole_to(self.person, self.conversation));
            if whole >= page.head_seq || (from_seq == whole + 1 && page.entries.is_empty()) || from_seq > whole + 1 {
                break;
            }
            if from_seq == whole + 1 && page.entries.first().is_none_or(|entry| entry.seq > from_seq) {
                break; // what is missing is not there
            }
            from_seq = whole + 1;
        }
    }

    async fn read_conversation(&mut self) {
        let mut from_seq = self.run.ledger(|ledger| ledger.began_at_seq(self.conversation)) + 1;
        while let Some(page) = self.ask(from_seq).await {
            self.run.ledger(|ledger| ledger.read_back(&page));
            from_seq = page.entries.last().map_or(page.head_seq, |entry| entry.seq) + 1;
            if page.entries.is_empty() || from_seq > page.head_seq {
                self.run.ledger(|ledger| ledger.read_whole(self.conversation, page.head_seq));
                return;
            }
        }
        self.run.fail("read_back_unanswered");
    }

    /// One page; other events on the way are heard as always. Tries once more on a new socket.
    async fn ask(&mut self, from_seq: u64) -> Option<Page> {
        let conversation = self.run.people[self.person as usize].conversation.clone();
        for _ in 0..2 {
            if self.socket.is_none() {
                let who = &self.run.people[self.person as usize];
                self.socket = crate::connect::Socket::open(self.run.target(who), &who.access_token(), self.device).await.ok();
            }
            self.pulling = true; // so that hearing asks for nothing of its own
            let pull = Pull { conversation: conversation.clone(), from_seq, limit: PAGE_ENTRIES, ..Pull::default() };
            if let Some(socket) = self.socket.as_mut()
                && socket.send(command::Kind::Pull(pull)).await.is_ok()
                && let Ok(Some(page)) = tokio::time::timeout(ANSWER, self.await_page(&conversation, from_seq)).await
            {
                return Some(page);
            }
            self.socket = None;
        }
        None
    }

    async fn await_page(&mut self, conversation: &str, from_seq: u64) -> Option<Page> {
        loop {
            match self.socket.as_mut()?.next().await.ok()? {
                event::Kind::Page(page) if page.conversation == conversation && (from_seq == 0 || page.from_seq == from_seq) => {
                    return Some(page);
                }
                event::Kind::Page(_) => {}
                kind => self.hear(kind).await,
            }
            self.pulling = true;
        }
    }
}
