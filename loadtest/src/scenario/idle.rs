//! `idle`: open sockets and answered heartbeats, nothing else. What a socket costs in memory and timers.

use super::{Opened, RunError, SETTLE, open_all};
use crate::cli::Run;
use crate::clock::Clock;
use crate::ledger::Ledger;
use crate::people::Person;
use crate::report::{Generator, LatencyMs, Report, ServerCost, judge};
use crate::server::usage;
use crate::socket::Target;

pub async fn run(options: Run, target: Target, people: Vec<Person>) -> Result<Report, RunError> {
    let clock = Clock::start();
    let before = options.server_pid.and_then(usage);
    let Opened { sockets, mut not_opened } = open_all(&options, &target, &people, clock).await?;
    let mut ledger = Ledger::new(std::iter::empty(), 0);
    ledger.counts.asked = people.len() as u64;
    ledger.counts.opened = sockets.len() as u64;

    let hold = options.duration.max(SETTLE);
    let end = clock.at(clock.micros() + u64::try_from(hold.as_micros()).unwrap_or(u64::MAX));
    let opened = sockets.len() as u64;
    let mut holding = tokio::task::JoinSet::new();
    for (_, mut socket) in sockets {
        // Reading is what answers the server's pings. Ends early only if the server hangs up.
        holding.spawn(async move {
            let hold = async { while socket.next().await.is_some() {} };
            let kept = tokio::time::timeout_at(end, hold).await.is_err();
            (kept, socket)
        });
    }
    let server_pid = options.server_pid;
    let measured = async {
        tokio::time::sleep_until(end - SETTLE / 4).await;
        server_pid.and_then(usage)
    };
    let after = measured.await;
    let mut dropped = 0;
    while let Some(finished) = holding.join_next().await {
        match finished {
            Ok((true, socket)) => socket.close().await,
            _ => dropped += 1,
        }
    }
    if dropped > 0 {
        not_opened.insert("dropped_by_server", dropped);
    }
    let (verdict, exit_code) = judge(&ledger, &not_opened, 0.0);
    Ok(Report {
        schema: 1,
        scenario: "idle",
        verdict,
        exit_code,
        seed: options.seed,
        schedule_hash: "-".into(),
        duration_s: hold.as_secs_f64(),
        counts: ledger.counts,
        not_opened,
        latency_ms: LatencyMs::default(),
        server: ServerCost::between(before, after, opened),
        generator: Generator::default(),
        json: options.json,
    })
}
