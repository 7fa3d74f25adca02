//! `text`: people talking in pairs. An open-loop schedule, latency from the intended moment, every message accounted for.

use super::{Opened, RunError, open_all};
use crate::cli::{Arrivals, Run};
use crate::clock::Clock;
use crate::ledger::Ledger;
use crate::measure::Latency;
use crate::people::Person;
use crate::report::{Generator, LatencyMs, Report, ServerCost, judge};
use crate::schedule::{Intended, Schedule};
use crate::seed::Seeded;
use crate::server::usage;
use crate::socket::{Socket, Target, message_id};
use chat::wire::{Body, Pull, Send, Text, body, command, event};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// How long answers may trail after the last send before they count as missing.
const TRAIL: Duration = Duration::from_secs(15);
const PAGE: u32 = 200;

/// What all sockets of a run share.
struct Shared {
    clock: Clock,
    ledger: Mutex<Ledger>,
    lag: Mutex<Latency>,
    /// Sends without an answer, so that the end of the run can be awaited.
    outstanding: watch::Sender<u64>,
    /// Nothing more is awaited: every speaker hands back his socket.
    over: watch::Sender<bool>,
}

impl Shared {
    fn ledger<T>(&self, act: impl FnOnce(&mut Ledger) -> T) -> T {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let result = act(&mut ledger);
        self.outstanding.send_replace(ledger.outstanding());
        result
    }
}

/// One person at his socket.
struct Speaker {
    index: u32,
    conversation: String,
    memberships: HashSet<String>,
    socket: Socket,
    shared: Arc<Shared>,
    start_micros: u64,
    closed: Option<Closed>,
}

/// A closed loop: one line under way at a time, until the end.
struct Closed {
    end_micros: u64,
    choice: Seeded,
}

pub async fn run(options: Run, target: Target, people: Vec<Person>) -> Result<Report, RunError> {
    let clock = Clock::start();
    let before = options.server_pid.and_then(usage);
    let Opened { sockets, not_opened } = open_all(&options, &target, &people, clock).await?;
    let opened = sockets.len();
    let length = options.warmup + options.duration;
    let speakers = if options.arrivals == Arrivals::Poisson { opened } else { 0 };
    let schedule = Schedule::poisson(options.seed, options.rate, length, speakers);
    let warm_micros = u64::try_from(options.warmup.as_micros()).unwrap_or(u64::MAX);
    let shared = Arc::new(Shared {
        clock,
        ledger: Mutex::new(Ledger::new(crate::people::pairs(&people).into_keys(), 0)),
        lag: Mutex::new(Latency::new()),
        outstanding: watch::channel(0).0,
        over: watch::channel(false).0,
    });

    let sockets = learn_heads(sockets, &people, &shared).await;
    let start_micros = clock.micros() + 500_000;
    shared.ledger(|ledger| ledger.warm_from(start_micros + warm_micros));
    let closed_until = (options.arrivals == Arrivals::Closed).then(|| start_micros + length.as_micros() as u64);
    let (lines, speaking) = seat(sockets, &people, &shared, start_micros, closed_until.map(|end| (end, options.seed)));
    dispatch(&schedule, &lines, clock, start_micros).await;
    drop(lines);
    if let Some(end) = closed_until {
        tokio::time::sleep_until(clock.at(end)).await;
    }
    let mut outstanding = shared.outstanding.subscribe();
    // A timeout here leaves unanswered sends; the final read settles them.
    let _ = tokio::time::timeout(TRAIL, outstanding.wait_for(|left| *left == 0)).await;
    let after = options.server_pid.and_then(usage);
    shared.over.send_replace(true);
    let quiet = clock.at(clock.micros() + 1_000_000);
    read_back(speaking, quiet).await;

    let mut ledger = shared.ledger.lock().unwrap_or_else(PoisonError::into_inner);
    ledger.settle();
    ledger.counts.asked = people.len() as u64;
    ledger.counts.opened = opened as u64;
    let lag_p99_ms = shared.lag.lock().unwrap_or_else(PoisonError::into_inner).percentiles_ms().p99;
    let (verdict, exit_code) = judge(&ledger, &not_opened, lag_p99_ms);
    Ok(Report {
        schema: 1,
        scenario: "text",
        verdict,
        exit_code,
        seed: options.seed,
        schedule_hash: schedule.hash,
        duration_s: length.as_secs_f64(),
        counts: ledger.counts,
        not_opened,
        latency_ms: LatencyMs { ack: ledger.ack.percentiles_ms(), delivery: ledger.delivery.percentiles_ms() },
        server: ServerCost::between(before, after, opened as u64),
        generator: Generator { lag_p99_ms },
        json: options.json,
    })
}

/// Asks each conversation's newest entry, so that only this run's entries are judged.
async fn learn_heads(sockets: Vec<(usize, Socket)>, people: &[Person], shared: &Arc<Shared>) -> Vec<(usize, Socket)> {
    let mut asking = tokio::task::JoinSet::new();
    for (index, mut socket) in sockets {
        let conversation = people[index].conversation.clone();
        let shared = shared.clone();
        asking.spawn(async move {
            let pull = Pull { conversation, limit: 1, ..Pull::default() };
            if socket.send(command::Kind::Pull(pull)).await.is_ok() {
                while let Some(kind) = socket.next().await {
                    if let event::Kind::Page(page) = kind {
                        shared.ledger(|ledger| ledger.started(&page.conversation, page.head_seq));
                        break;
                    }
                }
            }
            (index, socket)
        });
    }
    asking.join_all().await
}

type Lines = Vec<mpsc::UnboundedSender<Intended>>;

fn seat(
    sockets: Vec<(usize, Socket)>,
    people: &[Person],
    shared: &Arc<Shared>,
    start_micros: u64,
    closed: Option<(u64, u64)>,
) -> (Lines, tokio::task::JoinSet<Speaker>) {
    let mut lines = Vec::with_capacity(sockets.len());
    let mut speaking = tokio::task::JoinSet::new();
    for (index, socket) in sockets {
        // Unbounded on purpose: the schedule bounds it, and a bound would close the loop.
        let (line, mine) = mpsc::unbounded_channel();
        lines.push(line);
        let person = &people[index];
        let memberships = people.iter().filter(|other| other.user == person.user).map(|other| other.conversation.clone()).collect();
        let speaker = Speaker {
            index: index as u32,
            conversation: person.conversation.clone(),
            memberships,
            socket,
            shared: shared.clone(),
            start_micros,
            closed: closed.map(|(end_micros, seed)| Closed { end_micros, choice: Seeded::new(seed, &format!("speaker {index}")) }),
        };
        speaking.spawn(speaker.talk(mine));
    }
    (lines, speaking)
}

/// Hands each send to its speaker at its intended moment.
async fn dispatch(schedule: &Schedule, lines: &Lines, clock: Clock, start_micros: u64) {
    for intended in &schedule.sends {
        let due = start_micros + intended.at_micros;
        if clock.micros() < due {
            tokio::time::sleep_until(clock.at(due)).await;
        }
        // A speaker whose socket closed: his sends are missing from `sent` and show as fewer than scheduled.
        let _ = lines[intended.speaker as usize].send(*intended);
    }
}

impl Speaker {
    async fn talk(mut self, mut mine: mpsc::UnboundedReceiver<Intended>) -> Self {
        let mut more = true;
        let mut over = self.shared.over.subscribe();
        if self.closed.is_some() {
            tokio::time::sleep_until(self.shared.clock.at(self.start_micros)).await;
            if self.say_next().await.is_err() {
                return self;
            }
        }
        loop {
            tokio::select! {
                biased;
                intended = mine.recv(), if more => match intended {
                    Some(intended) => if self.say(intended).await.is_err() { return self },
                    None => more = false,
                },
                heard = self.socket.next() => match heard {
                    Some(kind) => {
                        let answered = matches!(kind, event::Kind::Sent(_));
                        self.hear(kind);
                        if answered && self.say_next().await.is_err() { return self }
                    }
                    None => return self,
                },
                () = async { let _ = over.wait_for(|over| *over).await; } => return self,
            }
        }
    }

    /// In a closed loop, the next line now; in an open one, nothing.
    async fn say_next(&mut self) -> Result<(), tokio_tungstenite::tungstenite::Error> {
        let now = self.shared.clock.micros();
        let Some(closed) = self.closed.as_mut().filter(|closed| now < closed.end_micros) else { return Ok(()) };
        let characters = 5 + closed.choice.below(60) as u16;
        let intended =
            Intended { at_micros: now.saturating_sub(self.start_micros), speaker: self.index, nonce: closed.choice.bytes(), characters };
        self.say(intended).await
    }

    async fn say(&mut self, intended: Intended) -> Result<(), tokio_tungstenite::tungstenite::Error> {
        let due = self.start_micros + intended.at_micros;
        let now = self.shared.clock.micros();
        self.shared.lag.lock().unwrap_or_else(PoisonError::into_inner).record(now.saturating_sub(due));
        let id = message_id(&intended.nonce);
        let text = words(&id, intended.characters as usize);
        self.shared.ledger(|ledger| ledger.sending(id, &self.conversation, due, &text));
        let body = Body { kind: Some(body::Kind::Text(Text { text, reply_to_seq: 0 })) };
        let send = Send { conversation: self.conversation.clone(), id: id.to_string(), body: Some(body) };
        self.socket.send(command::Kind::Send(send)).await
    }

    fn hear(&self, kind: event::Kind) {
        let now = self.shared.clock.micros();
        match kind {
            event::Kind::Sent(sent) => self.shared.ledger(|ledger| ledger.acknowledged(&sent, now)),
            event::Kind::Entry(entry) => {
                let own = entry.sender == self.socket.welcome.user;
                let member = self.memberships.contains(&entry.conversation);
                self.shared.ledger(|ledger| ledger.delivered(self.index, own, member, &entry, now));
            }
            event::Kind::Error(error) if !error.re.is_empty() => self.shared.ledger(|ledger| ledger.refused(&error.re)),
            event::Kind::Page(page) => self.shared.ledger(|ledger| ledger.read_back(&page)),
            _ => {}
        }
    }

    /// Hears what is still under way until `quiet`, then reads the conversation's part of this run from the store.
    async fn finish(mut self, quiet: tokio::time::Instant, read: bool) {
        while let Ok(Some(kind)) = tokio::time::timeout_at(quiet, self.socket.next()).await {
            self.hear(kind);
        }
        if read {
            self.read_conversation().await;
        }
        self.socket.close().await;
    }

    async fn read_conversation(&mut self) {
        let mut from_seq = self.shared.ledger(|ledger| ledger.first_seq(&self.conversation));
        loop {
            let pull = Pull { conversation: self.conversation.clone(), from_seq, limit: PAGE, ..Pull::default() };
            if self.socket.send(command::Kind::Pull(pull)).await.is_err() {
                break;
            }
            let page = loop {
                match tokio::time::timeout(TRAIL, self.socket.next()).await {
                    Ok(Some(event::Kind::Page(page))) => break Some(page),
                    Ok(Some(kind)) => self.hear(kind),
                    _ => break None,
                }
            };
            let Some(page) = page else { break };
            self.shared.ledger(|ledger| ledger.read_back(&page));
            from_seq += page.entries.len() as u64;
            if page.entries.is_empty() || from_seq > page.head_seq {
                break;
            }
        }
    }
}

/// One member of each conversation reads it back.
async fn read_back(speaking: tokio::task::JoinSet<Speaker>, quiet: tokio::time::Instant) {
    let mut read = HashSet::new();
    let mut reading = tokio::task::JoinSet::new();
    for speaker in speaking.join_all().await {
        let first = read.insert(speaker.conversation.clone());
        reading.spawn(speaker.finish(quiet, first));
    }
    reading.join_all().await;
}

/// Text of that many characters that only this message can have.
fn words(id: &uuid::Uuid, characters: usize) -> String {
    const LINE: &str = "医生您好，我最近总是头晕，血压有点高，早上起来更明显，想问问要不要调整用药。";
    let mut text = format!("{} ", id.simple());
    text.extend(LINE.chars().cycle().take(characters));
    text
}
