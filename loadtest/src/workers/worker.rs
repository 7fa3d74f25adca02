//! The worker's side of a run: joins, answers for its clock, runs its part, tells how it goes. Ends with the coordinator: a worker
//! whose coordinator is gone drops what it does.

use super::frames::{FrameError, Reader, Writer};
use super::handshake::{JoinError, Joined, join};
use super::protocol::{FromCoordinator, FromWorker, Hello, VERSION};
use super::secret::{Secret, nonce};
use crate::clock::{Clock, unix_ms};
use crate::machine::Root;
use crate::report::data::{Live, Report, SCHEMA};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    #[error("no coordinator at {addr}")]
    Connect { addr: String, source: std::io::Error },
    #[error("joining the run")]
    Join(#[from] JoinError),
    #[error("the coordinator is gone")]
    Coordinator(#[from] FrameError),
    #[error("the coordinator said something that does not belong here")]
    Unexpected,
    #[error("the run failed: {}", .0.reason)]
    Run(Failure),
}

/// Why a worker has no report.
#[derive(Clone, Debug)]
pub struct Failure {
    pub reason: String,
    pub exit_code: u8,
}

/// This worker's part of a run.
#[derive(Debug)]
pub struct Assignment {
    /// As the coordinator gave it.
    pub plan: serde_json::Value,
    /// Its people: lines of `wenzhen admin mint-tokens`, whole conversations.
    pub people: Vec<String>,
    pub index: u32,
    pub of: u32,
    pub gate: Gate,
    /// Cancelled when the run is to end early; a report over what was done is still wanted.
    pub stop: CancellationToken,
}

/// Where every worker waits with open sockets for the common beginning.
#[derive(Clone, Debug)]
pub struct Gate {
    ready: mpsc::Sender<()>,
    start: watch::Receiver<Option<u64>>,
}

impl Gate {
    /// Says that this worker is ready; returns the run's first moment, in microseconds of this worker's clock. None when the run is
    /// stopped before it began.
    pub async fn ready(&mut self) -> Option<u64> {
        // Whoever waits twice gets the same moment.
        let _ = self.ready.try_send(());
        self.start.wait_for(Option::is_some).await.ok().and_then(|start| *start)
    }
}

/// Joins the run at `addr` and carries out `run` with its part. `clock` is the one that `run` measures with.
pub async fn work<R>(addr: &str, secret: &Secret, clock: Clock, run: R) -> Result<(), WorkError>
where
    R: AsyncFnOnce(Assignment, watch::Sender<Live>) -> Result<Report, Failure>,
{
    let stream = TcpStream::connect(addr).await.map_err(|source| WorkError::Connect { addr: addr.to_owned(), source })?;
    let Joined { mut reader, writer, .. } = join(stream, secret, hello()?).await?;
    let (assignment, control) = assigned(&mut reader, &writer, clock).await?;
    let (live, shown) = watch::channel(Live::default());
    let ended = CancellationToken::new();
    // A task of its own: a run that computes for long still answers.
    let mut talking = tokio::spawn(talk(reader, writer, clock, control, shown, ended.clone()));
    let result = tokio::select! {
        result = run(assignment, live) => result,
        talked = &mut talking => return Err(talked.map_or(WorkError::Unexpected, |talked| talked.err().unwrap_or(WorkError::Unexpected))),
    };
    ended.cancel();
    let (mut reader, writer) = talking.await.map_err(|_| WorkError::Unexpected)??;
    let (message, result) = match result {
        Ok(report) => (FromWorker::Done { report: Box::new(report) }, Ok(())),
        Err(failure) => {
            let told = FromWorker::Failed { reason: failure.reason.clone(), exit_code: failure.exit_code };
            (told, Err(WorkError::Run(failure)))
        }
    };
    writer.send(&message).await?;
    answer_until_closed(&mut reader, &writer, clock).await;
    result
}

fn hello() -> Result<Hello, JoinError> {
    let root = Root::default();
    let read = |path| root.read(path).unwrap_or_default().trim().to_owned();
    Ok(Hello {
        version: VERSION,
        schema: SCHEMA,
        nonce: nonce()?,
        name: format!("{}:{}", read("proc/sys/kernel/hostname"), std::process::id()),
        machine: read("proc/sys/kernel/random/boot_id"),
    })
}

/// The other ends of what an assignment holds.
#[derive(Debug)]
struct Control {
    ready: mpsc::Receiver<()>,
    start: watch::Sender<Option<u64>>,
    stop: CancellationToken,
}

/// Everything before the run: index, comparison of clocks, people, plan.
async fn assigned(reader: &mut Reader, writer: &Writer, clock: Clock) -> Result<(Assignment, Control), WorkError> {
    let (mut place, mut people) = (None, Vec::new());
    loop {
        match reader.next().await? {
            FromCoordinator::Accepted { index, of } => place = Some((index, of)),
            FromCoordinator::Ping { number } => writer.send(&pong(clock, number)).await?,
            FromCoordinator::People { lines } => people.extend(lines),
            FromCoordinator::Assignment { plan } => {
                let (index, of) = place.ok_or(WorkError::Unexpected)?;
                let (ready, start) = (mpsc::channel(1), watch::channel(None));
                let stop = CancellationToken::new();
                let gate = Gate { ready: ready.0, start: start.1 };
                let assignment = Assignment { plan, people, index, of, gate, stop: stop.clone() };
                return Ok((assignment, Control { ready: ready.1, start: start.0, stop }));
            }
            FromCoordinator::Refused { code, detail } => return Err(JoinError::Refused { code, detail }.into()),
            FromCoordinator::Challenge { .. } | FromCoordinator::Go { .. } | FromCoordinator::Stop => return Err(WorkError::Unexpected),
        }
    }
}

/// While the run goes on; gives the connection back when the run has ended.
async fn talk(
    mut reader: Reader,
    writer: Writer,
    clock: Clock,
    mut control: Control,
    mut shown: watch::Receiver<Live>,
    ended: CancellationToken,
) -> Result<(Reader, Writer), WorkError> {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            message = reader.next() => match message? {
                FromCoordinator::Ping { number } => writer.send(&pong(clock, number)).await?,
                FromCoordinator::Go { start_us } => drop(control.start.send_replace(Some(start_us))),
                FromCoordinator::Stop => control.stop.cancel(),
                _ => return Err(WorkError::Unexpected),
            },
            Some(()) = control.ready.recv() => writer.send(&FromWorker::Ready).await?,
            _ = seconds.tick() => {
                let news = shown.has_changed().unwrap_or(false).then(|| shown.borrow_and_update().clone());
                match news {
                    Some(live) => writer.send(&FromWorker::Live { live: Box::new(live) }).await?,
                    None => writer.send(&FromWorker::Alive).await?,
                }
            }
            () = ended.cancelled() => return Ok((reader, writer)),
        }
    }
}

/// The clocks are compared once more at the end; then the coordinator closes.
async fn answer_until_closed(reader: &mut Reader, writer: &Writer, clock: Clock) {
    while let Ok(message) = reader.next().await {
        if let FromCoordinator::Ping { number } = message
            && writer.send(&pong(clock, number)).await.is_err()
        {
            return;
        }
    }
}

fn pong(clock: Clock, number: u32) -> FromWorker {
    FromWorker::Pong { number, at_us: clock.micros(), unix_ms: unix_ms() }
}
