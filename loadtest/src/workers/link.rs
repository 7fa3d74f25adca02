//! One worker as the coordinator sees it, from its admission to its report.

use super::frames::FrameError;
use super::handshake::Joined;
use super::offset::{Offset, RoundTrip};
use super::protocol::{FromCoordinator, FromWorker};
use super::worker::Failure;
use crate::clock::{Clock, unix_ms};
use crate::report::data::{Live, Report};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

const ROUND_TRIPS: u32 = 16;
const LINES_PER_FRAME: usize = 1000;
/// A single answer that takes longer is from a worker that is gone.
const PONG_WITHIN: Duration = Duration::from_secs(10);

/// Enough to read back what was said until then.
const STOP_WITHIN: Duration = Duration::from_secs(120);

/// What all links of a run share.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub clock: Clock,
    pub plan: serde_json::Value,
    pub of: u32,
    /// The first moment of the run, in the coordinator's clock, once every worker is ready.
    pub start: watch::Receiver<Option<u64>>,
    pub stop: CancellationToken,
    /// A worker that says nothing for so long is lost.
    pub silence_max: Duration,
    pub news: mpsc::UnboundedSender<(u32, News)>,
}

#[derive(Debug)]
pub(super) enum News {
    Ready,
    Live(Box<Live>),
    Ended(Box<Finished>),
}

#[derive(Debug)]
pub(super) struct Finished {
    pub clock_error_us: u64,
    pub wall_offset_ms: i64,
    pub ended: Result<Result<Report, Failure>, Loss>,
}

/// Why a worker is lost.
#[derive(Debug, thiserror::Error)]
pub(super) enum Loss {
    #[error("the connection ended without a report")]
    Gone,
    #[error("silent for {} s", .0.as_secs())]
    Silent(Duration),
    #[error("did not end within {} s after it was told to stop", .0.as_secs())]
    Stuck(Duration),
    #[error("said something that does not belong here")]
    Unexpected,
    #[error(transparent)]
    Frame(FrameError),
}

impl From<FrameError> for Loss {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Closed => Self::Gone,
            other => Self::Frame(other),
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Clocks {
    first: Option<Offset>,
    error_us: u64,
    wall_offset_ms: i64,
}

/// Carries one worker through the run and reports its end as the last news.
pub(super) async fn carry(mut joined: Joined, index: u32, people: Vec<String>, shared: Shared) {
    let mut clocks = Clocks::default();
    let ended = through(&mut joined, index, people, &shared, &mut clocks).await;
    let finished = Finished { clock_error_us: clocks.error_us, wall_offset_ms: clocks.wall_offset_ms, ended };
    // The coordinator is gone only when the run was given up.
    let _ = shared.news.send((index, News::Ended(Box::new(finished))));
}

async fn through(
    joined: &mut Joined,
    index: u32,
    people: Vec<String>,
    shared: &Shared,
    clocks: &mut Clocks,
) -> Result<Result<Report, Failure>, Loss> {
    joined.writer.send(&FromCoordinator::Accepted { index, of: shared.of }).await?;
    compare(joined, shared.clock, clocks).await?;
    for lines in people.chunks(LINES_PER_FRAME) {
        joined.writer.send(&FromCoordinator::People { lines: lines.to_vec() }).await?;
    }
    joined.writer.send(&FromCoordinator::Assignment { plan: shared.plan.clone() }).await?;
    let result = run(joined, index, shared, clocks).await?;
    // The report is here; a worker that goes now only leaves the error at what it was.
    let _ = compare(joined, shared.clock, clocks).await;
    Ok(result)
}

async fn run(joined: &mut Joined, index: u32, shared: &Shared, clocks: &Clocks) -> Result<Result<Report, Failure>, Loss> {
    let mut start = shared.start.clone();
    let (mut told_start, mut told_stop, mut stop_until) = (false, false, shared.clock.at(0));
    let tell = |news| {
        // The coordinator is gone only when the run was given up.
        let _ = shared.news.send((index, news));
    };
    loop {
        tokio::select! {
            message = tokio::time::timeout(shared.silence_max, joined.reader.next()) => match message {
                Err(_) => return Err(Loss::Silent(shared.silence_max)),
                Ok(message) => match message? {
                    FromWorker::Ready => tell(News::Ready),
                    FromWorker::Live { live } => tell(News::Live(live)),
                    FromWorker::Alive => {}
                    FromWorker::Done { report } => return Ok(Ok(*report)),
                    FromWorker::Failed { reason, exit_code } => return Ok(Err(Failure { reason, exit_code })),
                    FromWorker::Hello(_) | FromWorker::Proof { .. } | FromWorker::Pong { .. } => return Err(Loss::Unexpected),
                },
            },
            Some(at_us) = begun(&mut start), if !told_start => {
                told_start = true;
                let start_us = clocks.first.map_or(at_us, |offset| offset.of_worker(at_us));
                joined.writer.send(&FromCoordinator::Go { start_us }).await?;
            }
            () = shared.stop.cancelled(), if !told_stop => {
                told_stop = true;
                stop_until = shared.clock.at(shared.clock.micros() + STOP_WITHIN.as_micros() as u64);
                joined.writer.send(&FromCoordinator::Stop).await?;
            }
            () = tokio::time::sleep_until(stop_until), if told_stop => return Err(Loss::Stuck(STOP_WITHIN)),
        }
    }
}

/// None when the coordinator gave up.
async fn begun(start: &mut watch::Receiver<Option<u64>>) -> Option<u64> {
    start.wait_for(Option::is_some).await.ok().and_then(|start| *start)
}

/// The first comparison aligns, a later one says how far the clocks ran apart.
async fn compare(joined: &mut Joined, clock: Clock, clocks: &mut Clocks) -> Result<(), Loss> {
    let mut trips = Vec::new();
    for number in 0..ROUND_TRIPS {
        let (sent_us, sent_unix_ms) = (clock.micros(), unix_ms());
        joined.writer.send(&FromCoordinator::Ping { number }).await?;
        let pong = tokio::time::timeout(PONG_WITHIN, joined.reader.next()).await.map_err(|_| Loss::Silent(PONG_WITHIN))?;
        let FromWorker::Pong { number: answered, at_us, unix_ms } = pong? else { return Err(Loss::Unexpected) };
        if answered != number {
            return Err(Loss::Unexpected);
        }
        let trip = RoundTrip { sent_us, worker_us: at_us, received_us: clock.micros() };
        trips.push(trip);
        // Milliseconds are enough for the clock on the wall; the latest trip is as good as any.
        clocks.wall_offset_ms = unix_ms as i64 - sent_unix_ms as i64 - (trip.received_us - sent_us) as i64 / 2000;
    }
    let Some(offset) = Offset::estimate(&trips) else { return Ok(()) };
    match clocks.first {
        None => (clocks.first, clocks.error_us) = (Some(offset), offset.error_us),
        Some(first) => clocks.error_us = first.error_until(&offset),
    }
    Ok(())
}
