//! `text`: people talking in pairs. Lines at their intended moments, typing and read marks beside them, every message accounted for.

use crate::connect::Socket;
use crate::plan::Arrivals;
use crate::run::{Part, RunError};
use crate::talk::{Do, Habits, Seat, Talker, all_done, read_all};
use chat::wire::{Pull, command, event};
use serde::Deserialize;

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Read marks with the answers.
    pub marks: bool,
    /// A typing sign before every line.
    pub typing: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { marks: true, typing: false }
    }
}

pub async fn run(part: Part) -> Result<(), RunError> {
    let options: Options = part.options()?;
    let sockets = with_heads(&part, part.open_all().await).await;
    let closed = part.plan.arrivals == Arrivals::Closed;
    let start = part.begin().await;
    let habits = Habits {
        marks: options.marks,
        typing: options.typing,
        closed_until_micros: closed.then(|| start + part.run.plan.length.micros()),
        ..Habits::default()
    };
    let (seats, tasks) = seat_all(&part, sockets, &habits);
    talk(&part, &seats).await;
    part.done().await;
    read_all(seats, tasks).await;
    Ok(())
}

/// Everybody with a socket, seated alike.
pub(super) fn seat_all(part: &Part, sockets: Vec<(u32, Socket, u64)>, habits: &Habits) -> (Vec<Seat>, Vec<tokio::task::JoinHandle<()>>) {
    sockets.into_iter().map(|(person, socket, head)| Talker::seat(&part.run, person, socket, head, habits.clone(), None)).unzip()
}

/// Lines by the part's schedule until its end.
pub(super) async fn talk(part: &Part, seats: &[Seat]) {
    let speakers: Vec<_> = seats.iter().map(Seat::sender).collect();
    let start = part.run.start_micros();
    let say = move |event: crate::schedule::Intended| {
        // A talker who is gone for good says so in the accounts.
        let _ = speakers[event.actor as usize].send(Do::Say { intended_micros: start + event.at_micros });
    };
    part.pace(seats.len(), say).await;
    part.until_end().await;
    if !all_done(seats, part.run.plan.patience.0).await {
        part.run.fail("lines_left_over");
    }
}

/// Asks each conversation's newest seq, so that only this run's entries are judged.
pub(super) async fn with_heads(part: &Part, sockets: Vec<(u32, Socket)>) -> Vec<(u32, Socket, u64)> {
    let mut asking = tokio::task::JoinSet::new();
    for (person, mut socket) in sockets {
        let conversation = part.person(person).conversation.clone();
        asking.spawn(async move {
            let pull = Pull { conversation, limit: 1, ..Pull::default() };
            let mut head = 0;
            if socket.send(command::Kind::Pull(pull)).await.is_ok() {
                while let Ok(kind) = socket.next().await {
                    if let event::Kind::Page(page) = kind {
                        head = page.head_seq;
                        break;
                    }
                }
            }
            (person, socket, head)
        });
    }
    let mut known = asking.join_all().await;
    known.sort_unstable_by_key(|(person, ..)| *person);
    known
}
