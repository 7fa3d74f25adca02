//! `history`: deep paging over the socket and over HTTP, and searching, while the same conversations are written to.
//!
//! A page is asked for from anywhere in the history, and everything on it is compared with what everybody else saw.

mod fill;
mod pages;
mod search;

use crate::ledger::Asked;
use crate::measure::Metric;
use crate::plan::Arrivals;
use crate::run::{Part, RunError};
use crate::scenario::device::Device;
use crate::scenario::text::{seat_all, with_heads};
use crate::schedule::Intended;
use crate::seed::Seeded;
use crate::talk::{Do, Habits, read_all};
use chat::wire::Entry;
use serde::Deserialize;
use std::sync::Arc;
use tokio_util::task::TaskTracker;

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Part of the events that are pages over the socket, pages over HTTP, and searches; the rest are lines.
    pub page_share: f64,
    pub http_share: f64,
    pub search_share: f64,
    /// Entries asked for at once, 1 to 200.
    pub page_entries: u32,
    /// Messages that each conversation is filled with before the load.
    pub fill_messages: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { page_share: 0.3, http_share: 0.15, search_share: 0.05, page_entries: 50, fill_messages: 200 }
    }
}

impl Options {
    fn check(&self) -> Result<(), RunError> {
        let shares = [self.page_share, self.http_share, self.search_share];
        let right = shares.iter().all(|share| (0.0..=1.0).contains(share))
            && shares.iter().sum::<f64>() <= 1.0
            && (1..=200).contains(&self.page_entries);
        if right { Ok(()) } else { Err(RunError::Usage(format!("options of history that cannot be: {self:?}"))) }
    }
}

/// One wish for a page.
#[derive(Clone, Copy, Debug)]
struct Wish {
    intended_micros: u64,
    from_seq: u64,
    limit: u32,
}

pub async fn run(part: Part) -> Result<(), RunError> {
    let options: Options = part.options()?;
    options.check()?;
    if part.plan.arrivals == Arrivals::Closed {
        return Err(RunError::Usage("history has no closed loop: pages come at a rate".into()));
    }
    let sockets = with_heads(&part, part.open_all().await).await;
    let sockets = fill::fill(&part, sockets, options.fill_messages).await;
    let words = if options.search_share > 0.0 { search::words(&part).await? } else { Arc::default() };
    let mut readers = Vec::with_capacity(sockets.len());
    for (person, ..) in &sockets {
        // Whoever reads back a long history does it at the desk; the phone beside it goes on talking.
        let line = if options.page_share > 0.0 { part.open_another(*person).await.ok() } else { None };
        readers.push(line.map(|socket| pages::Reader::start(&part, *person, Device::start(&part, *person, socket))));
    }
    part.begin().await;
    let (seats, tasks) = seat_all(&part, sockets, &Habits::default());
    let asking = TaskTracker::new();
    act(&part, options, &seats, readers, words, &asking).await;
    asking.close();
    // What is longer under way is told by its own deadline.
    let _ = tokio::time::timeout(part.run.plan.patience.0, asking.wait()).await;
    part.done().await;
    read_all(seats, tasks).await;
    Ok(())
}

async fn act(
    part: &Part,
    options: Options,
    seats: &[crate::talk::Seat],
    readers: Vec<Option<pages::Reader>>,
    words: Arc<search::Words>,
    asking: &TaskTracker,
) {
    let speakers: Vec<_> = seats.iter().map(|seat| (seat.person, seat.conversation, seat.sender())).collect();
    let (runtime, tasks, of, start) = (tokio::runtime::Handle::current(), asking.clone(), part.clone(), part.run.start_micros());
    let actors = speakers.len();
    let act = move |event: Intended| {
        let (person, conversation, speaker) = &speakers[event.actor as usize];
        let intended_micros = start + event.at_micros;
        let mut dice = Seeded::new(event.nonce, "history");
        let draw = dice.unit();
        let head = of.ledger(|ledger| ledger.whole_to(*person, *conversation)).max(1);
        let wish = Wish { intended_micros, from_seq: 1 + dice.next_u64() % head, limit: options.page_entries };
        if draw < options.page_share {
            if let Some(reader) = &readers[event.actor as usize] {
                reader.ask(wish);
            }
        } else if draw < options.page_share + options.http_share {
            tasks.spawn_on(pages::over_http(of.clone(), *person, wish), &runtime);
        } else if draw < options.page_share + options.http_share + options.search_share {
            tasks.spawn_on(search::search(of.clone(), *person, words.clone(), intended_micros, dice), &runtime);
        } else {
            // A talker who is gone for good says so in the accounts.
            let _ = speaker.send(Do::Say { intended_micros });
        }
    };
    part.pace(actors, act).await;
    part.until_end().await;
}

/// A page that came, from wherever.
fn judge(part: &Part, metric: Metric, wish: Wish, conversation: &str, entries: &[Entry], head_seq: u64) {
    part.run.meters.record(metric, wish.intended_micros, part.run.clock.micros());
    let asked = Asked { conversation, from_seq: wish.from_seq, limit: wish.limit };
    part.ledger(|ledger| ledger.paged(asked, entries, head_seq));
}
