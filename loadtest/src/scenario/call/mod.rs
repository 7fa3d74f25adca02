//! `call`: pairs of patient and doctor who call each other: invite, ring, accept, offer and answer, candidates, connected, hang-up.
//! Some invite at once, refuse, take the call back, do not answer, or change network in the middle.
//!
//! A call begins at its intended moment in the pair whose turn it is; a pair that still talks cannot, and the call was never tried.

mod course;
mod pair;
mod script;
mod signals;

use super::text::with_heads;
use crate::run::{Part, RunError};
use crate::schedule::Intended;
use crate::talk::{Habits, Seat, Talker, read_all};
use course::Course;
use pair::Pair;
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::mpsc;

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Parts of the calls, 0 to 1, their sum at most 1: both invite at once, ...
    pub glare: f64,
    /// ... the callee refuses, ...
    pub reject: f64,
    /// ... the caller takes it back while it rings, ...
    pub cancel: f64,
    /// ... nobody answers: the ring ends by itself after half a minute, ...
    pub no_answer: f64,
    /// ... one side loses its network in the middle, comes back and restarts ICE. The rest goes by the book.
    pub network_switch: f64,
    /// Trickled candidates of each side.
    pub candidates: u32,
    /// Until the callee accepts. Counts in `call.setup`.
    pub answer_after_ms: u64,
    /// How long the two are connected.
    pub talk_ms: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            glare: 0.05,
            reject: 0.03,
            cancel: 0.02,
            no_answer: 0.0,
            network_switch: 0.02,
            candidates: 12,
            answer_after_ms: 0,
            talk_ms: 5_000,
        }
    }
}

pub async fn run(part: Part) -> Result<(), RunError> {
    let options: Options = part.options()?;
    if options.shares().iter().sum::<f64>() > 1.0 {
        return Err(RunError::Usage("call: the shares of the courses sum to more than 1".into()));
    }
    let sockets = with_heads(&part, part.open_all().await).await;
    part.begin().await;
    let (pairs, tasks) = seat(&part, sockets);
    let (voices, lines): (Vec<_>, Vec<_>) = pairs.into_iter().map(|pair| open_line(&part, pair, options)).unzip();
    let (run, start) = (part.run.clone(), part.run.start_micros());
    let mut turn = 0;
    let count = voices.len();
    let call = move |event: Intended| {
        let voice: &Voice = &voices[turn % voices.len()];
        turn += 1;
        if voice.is_busy.swap(true, Ordering::AcqRel) || voice.to.send(Intended { at_micros: start + event.at_micros, ..event }).is_err() {
            run.accounts().never_tried += 1;
        }
    };
    part.pace(count, call).await;
    part.until_end().await;
    let (mut seats, mut failed) = (Vec::with_capacity(count * 2), 0);
    for line in lines {
        let pair = line.await.map_err(|error| RunError::Infrastructure(format!("call: {error}")))?;
        failed += pair.failed;
        let (found, of_pair) = pair.settle();
        part.ledger(|ledger| ledger.counts.ghost_calls += found.violations());
        seats.extend(of_pair);
    }
    part.run.expect("call: every call goes its course", failed as f64, failed == 0);
    part.done().await;
    read_all(seats, tasks).await;
    Ok(())
}

/// One pair's line: whether it is taken, and where its next call comes in.
struct Voice {
    is_busy: Arc<AtomicBool>,
    to: mpsc::UnboundedSender<Intended>,
}

fn open_line(part: &Part, mut pair: Pair, options: Options) -> (Voice, tokio::task::JoinHandle<Pair>) {
    let (to, mut calls) = mpsc::unbounded_channel::<Intended>();
    let is_busy = Arc::new(AtomicBool::new(false));
    let (busy, seed) = (is_busy.clone(), part.run.plan.seed);
    let task = tokio::spawn(async move {
        while let Some(event) = calls.recv().await {
            let mut course = Course::draw(seed, event.nonce, &options);
            pair.play(event.at_micros, &mut course, &options).await;
            busy.store(false, Ordering::Release);
        }
        pair
    });
    (Voice { is_busy, to }, task)
}

/// Both members of a conversation who have a socket.
fn seat(part: &Part, sockets: Vec<(u32, crate::connect::Socket, u64)>) -> (Vec<Pair>, Vec<tokio::task::JoinHandle<()>>) {
    let (mut pairs, mut tasks, mut waiting) = (Vec::new(), Vec::new(), None::<(Seat, pair::Ear)>);
    for (person, socket, head) in sockets {
        let (hear, told) = mpsc::unbounded_channel();
        let (seat, task) = Talker::seat(&part.run, person, socket, head, Habits { marks: false, ..Habits::default() }, Some(hear));
        tasks.push(task);
        match waiting.take() {
            Some((first, ear)) if first.conversation == seat.conversation => {
                pairs.push(Pair::new(part.run.clone(), [(first, ear), (seat, told)]));
            }
            _ => waiting = Some((seat, told)),
        }
    }
    (pairs, tasks)
}

impl Options {
    fn shares(&self) -> [f64; 5] {
        [self.glare, self.reject, self.cancel, self.no_answer, self.network_switch]
    }
}
