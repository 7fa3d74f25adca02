//! The coordinator: admits workers, deals out people, lets all begin at one moment, gathers what they tell and what they found.
//!
//! A worker that is lost after the beginning makes the run invalid; the others go on to their reports, because what they see of the
//! server's correctness counts, and the live picture says who is lost. Before the beginning there is no run: the error says who was lost.

use super::handshake::{JoinError, Joined, admit, refuse};
use super::link::{Finished, News, Shared, carry};
use super::merge;
use super::protocol::Refusal;
use super::secret::Secret;
use super::slices;
use super::worker::Failure;
use crate::clock::Clock;
use crate::report::data::{Live, Mark, Report};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::error::Elapsed;
use tokio_util::sync::CancellationToken;

/// For a whole handshake.
const ADMIT_WITHIN: Duration = Duration::from_secs(10);

type Admitting = JoinSet<Result<Result<Joined, JoinError>, Elapsed>>;

#[derive(Debug, thiserror::Error)]
pub enum CoordinateError {
    #[error("{joined} of {expected} workers joined within {within_s} s{refused}")]
    Missing { joined: u32, expected: u32, within_s: u64, refused: String },
    #[error("worker {index} ({name}) before the run began: {reason}")]
    BeforeStart { index: u32, name: String, reason: String, exit_code: Option<u8> },
    #[error("workers were not ready within {within_s} s")]
    NotReady { within_s: u64 },
    #[error("stopped before the run began")]
    Stopped,
}

/// How long what may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub join_within: Duration,
    /// From the last one's joining until all have their sockets open.
    pub ready_within: Duration,
    pub silence_max: Duration,
    /// Between the last one's readiness and the first moment.
    pub lead: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            join_within: Duration::from_secs(300),
            ready_within: Duration::from_secs(1800),
            silence_max: Duration::from_secs(15),
            lead: Duration::from_secs(1),
        }
    }
}

/// What a shared run is given.
#[derive(Debug)]
pub struct Start {
    pub listener: TcpListener,
    pub expect: u32,
    pub secret: Secret,
    pub clock: Clock,
    pub plan: serde_json::Value,
    /// Lines of `wenzhen admin mint-tokens`.
    pub people: Vec<String>,
    /// One picture of all workers, once a second.
    pub live: watch::Sender<Live>,
    /// Ends the run early; workers still report.
    pub stop: CancellationToken,
    /// Told the run's first moment of `clock`, for faults and probes of the coordinator.
    pub began: Option<oneshot::Sender<u64>>,
    pub limits: Limits,
}

/// What came of every worker, in the order of their indices.
#[derive(Debug)]
pub struct Outcome {
    pub parts: Vec<Part>,
}

#[derive(Debug)]
pub struct Part {
    pub index: u32,
    /// Host and process.
    pub name: String,
    /// The same for workers on one machine.
    pub machine: String,
    pub people: u64,
    /// Of the clocks on the wall, worker less coordinator.
    pub wall_offset_ms: i64,
    /// How far a moment of this worker may be off on the common time axis.
    pub clock_error_us: u64,
    pub ended: Ended,
    /// Seconds after the first moment; none for one that was never heard to end.
    pub ended_at_s: Option<f64>,
}

#[derive(Debug)]
pub enum Ended {
    Report(Box<Report>),
    /// It said why.
    Failed(Failure),
    /// It died, or is out of reach.
    Lost(String),
}

/// Runs the plan on `expect` workers.
pub async fn coordinate(start: Start) -> Result<Outcome, CoordinateError> {
    let (joined, admitting) = tokio::select! {
        joined = gather(&start) => joined?,
        () = start.stop.cancelled() => return Err(CoordinateError::Stopped),
    };
    let mut doors = JoinSet::new();
    doors.spawn(turn_away(start.listener, start.secret, admitting));
    let slices = slices::split(start.people, start.expect as usize);
    let (news, heard) = mpsc::unbounded_channel();
    let begin = watch::channel(None);
    let stop = start.stop.child_token();
    let shared = Shared {
        clock: start.clock,
        plan: start.plan,
        of: start.expect,
        start: begin.1,
        stop: stop.clone(),
        silence_max: start.limits.silence_max,
        news,
    };
    let mut parts = Vec::new();
    let mut links = JoinSet::new();
    for ((index, joined), people) in (0..).zip(joined).zip(slices) {
        parts.push(Gathered { name: joined.hello.name.clone(), machine: joined.hello.machine.clone(), ..Gathered::new(people.len()) });
        links.spawn(carry(joined, index, people, shared.clone()));
    }
    drop(shared);
    let mut run = Gathering { parts, heard, begin: begin.0, stop, live: start.live, clock: start.clock };
    run.until_ready(start.limits, start.began).await?;
    run.until_ended().await;
    Ok(Outcome { parts: (0..).zip(run.parts).map(|(index, part)| part.into_part(index)).collect() })
}

/// Until all have joined. A stranger takes no place, and a slow one nobody's time.
async fn gather(start: &Start) -> Result<(Vec<Joined>, Admitting), CoordinateError> {
    let (mut joined, mut refused, mut admitting) = (Vec::new(), Vec::<JoinError>::new(), Admitting::new());
    let within = start.limits.join_within;
    let all = async {
        while joined.len() < start.expect as usize {
            tokio::select! {
                stream = accept(&start.listener) => begin_admission(&mut admitting, stream, start.secret.clone()),
                Some(admitted) = admitting.join_next() => match admitted {
                    Ok(Ok(Ok(worker))) => joined.push(worker),
                    Ok(Ok(Err(error))) => refused.push(error),
                    Ok(Err(_)) | Err(_) => {} // too slow to be a worker
                },
            }
        }
    };
    if tokio::time::timeout(within, all).await.is_ok() {
        return Ok((joined, admitting));
    }
    let refused = refused.iter().map(|error| format!("; {error}")).collect();
    let joined = u32::try_from(joined.len()).unwrap_or(u32::MAX);
    Err(CoordinateError::Missing { joined, expected: start.expect, within_s: within.as_secs(), refused })
}

/// Waits out a full table of files: what is being admitted may free some.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

fn begin_admission(admitting: &mut Admitting, stream: TcpStream, secret: Secret) {
    admitting.spawn(async move { tokio::time::timeout(ADMIT_WITHIN, admit(stream, &secret)).await });
}

/// Whoever proves himself too late is told why, instead of waiting for nothing.
async fn turn_away(listener: TcpListener, secret: Secret, mut admitting: Admitting) {
    loop {
        tokio::select! {
            stream = accept(&listener) => begin_admission(&mut admitting, stream, secret.clone()),
            Some(admitted) = admitting.join_next() => {
                if let Ok(Ok(Ok(late))) = admitted {
                    // He may be gone already.
                    let _ = refuse::<()>(&late.writer, Refusal::Full, "every place is taken".into()).await;
                }
            }
        }
    }
}

/// A worker while the run goes on.
#[derive(Debug)]
struct Gathered {
    name: String,
    machine: String,
    people: u64,
    ready: bool,
    live: Option<Box<Live>>,
    finished: Option<Box<Finished>>,
    ended_at_s: Option<f64>,
}

impl Gathered {
    fn new(people: usize) -> Self {
        Self {
            name: String::new(),
            machine: String::new(),
            people: people as u64,
            ready: false,
            live: None,
            finished: None,
            ended_at_s: None,
        }
    }

    /// It ended without a report.
    fn is_lost(&self) -> bool {
        self.finished.as_ref().is_some_and(|finished| !matches!(finished.ended, Ok(Ok(_))))
    }

    fn into_part(self, index: u32) -> Part {
        let ended_at_s = self.ended_at_s;
        let (clock_error_us, wall_offset_ms, ended) = match self.finished.map(|finished| *finished) {
            None => (0, 0, Ended::Lost("nothing was heard of its end".into())),
            Some(Finished { clock_error_us, wall_offset_ms, ended }) => {
                let ended = match ended {
                    Ok(Ok(report)) => Ended::Report(Box::new(report)),
                    Ok(Err(failure)) => Ended::Failed(failure),
                    Err(loss) => Ended::Lost(with_cause(&loss)),
                };
                (clock_error_us, wall_offset_ms, ended)
            }
        };
        Part { index, name: self.name, machine: self.machine, people: self.people, wall_offset_ms, clock_error_us, ended, ended_at_s }
    }
}

#[derive(Debug)]
struct Gathering {
    parts: Vec<Gathered>,
    heard: mpsc::UnboundedReceiver<(u32, News)>,
    begin: watch::Sender<Option<u64>>,
    stop: CancellationToken,
    live: watch::Sender<Live>,
    clock: Clock,
}

impl Gathering {
    async fn until_ready(&mut self, limits: Limits, began: Option<oneshot::Sender<u64>>) -> Result<(), CoordinateError> {
        let ready = async {
            let mut seconds = tokio::time::interval(Duration::from_secs(1));
            while !self.parts.iter().all(|part| part.ready) {
                tokio::select! {
                    news = self.heard.recv() => match news {
                        Some((index, News::Ended(finished))) => return Err(self.before_start(index, &finished)),
                        Some((index, news)) => self.note(index, news),
                        None => return Err(CoordinateError::Stopped),
                    },
                    _ = seconds.tick() => self.show(),
                }
            }
            Ok(())
        };
        let within = limits.ready_within;
        tokio::time::timeout(within, ready).await.unwrap_or(Err(CoordinateError::NotReady { within_s: within.as_secs() }))?;
        let start_us = self.clock.micros() + u64::try_from(limits.lead.as_micros()).unwrap_or(u64::MAX);
        self.begin.send_replace(Some(start_us));
        if let Some(began) = began {
            // Whoever wanted to know may be gone.
            let _ = began.send(start_us);
        }
        Ok(())
    }

    async fn until_ended(&mut self) {
        let mut seconds = tokio::time::interval(Duration::from_secs(1));
        while !self.parts.iter().all(|part| part.finished.is_some()) {
            tokio::select! {
                news = self.heard.recv() => match news {
                    Some((index, news)) => self.note(index, news),
                    None => return,
                },
                _ = seconds.tick() => self.show(),
            }
        }
        self.show();
    }

    fn note(&mut self, index: u32, news: News) {
        let Some(part) = self.parts.get_mut(index as usize) else { return };
        match news {
            News::Ready => part.ready = true,
            News::Live(live) => part.live = Some(live),
            News::Ended(finished) => {
                let since = self.begin.borrow().map(|start_us| self.clock.micros().saturating_sub(start_us));
                part.ended_at_s = since.map(|micros| micros as f64 / 1e6);
                part.finished = Some(finished);
            }
        }
    }

    fn show(&self) {
        let lives: Vec<&Live> = self.parts.iter().filter_map(|part| part.live.as_deref()).collect();
        if !lives.is_empty() {
            let mut picture = merge::live::live(&lives);
            let lost = (0_u32..).zip(&self.parts).filter(|(_, part)| part.is_lost());
            picture.marks.extend(lost.map(|(index, part)| lost_mark(index, part.ended_at_s)));
            // Nobody may be looking.
            let _ = self.live.send(picture);
        }
    }

    fn before_start(&self, index: u32, finished: &Finished) -> CoordinateError {
        if self.stop.is_cancelled() {
            return CoordinateError::Stopped;
        }
        let name = self.parts.get(index as usize).map(|part| part.name.clone()).unwrap_or_default();
        let (reason, exit_code) = match &finished.ended {
            Ok(Ok(_)) => ("ended without waiting for the beginning".to_owned(), None),
            Ok(Err(failure)) => (failure.reason.clone(), Some(failure.exit_code)),
            Err(loss) => (with_cause(loss), None),
        };
        CoordinateError::BeforeStart { index, name, reason, exit_code }
    }
}

pub(super) fn lost_mark(index: u32, at_s: Option<f64>) -> Mark {
    Mark { at_s: at_s.unwrap_or_default(), what: format!("worker {index} lost") }
}

fn with_cause(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
