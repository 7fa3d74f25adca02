//! Over real TCP on loopback, and with real child processes: this test binary started again as a worker.

use super::coordinator::{CoordinateError, Ended, Limits, Outcome, Start, coordinate};
use super::frames::{FrameError, STRANGER_BYTES_MAX, split};
use super::handshake::{JoinError, admit};
use super::local::LocalWorkers;
use super::merge::merge;
use super::protocol::{FromCoordinator, FromWorker, Hello, Refusal, VERSION};
use super::secret::Secret;
use super::worker::{Assignment, Failure, WorkError, work};
use crate::clock::{Clock, unix_ms};
use crate::report::data::{Live, Report, SCHEMA, Verdict};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const SECRET: &str = "a secret of enough characters";

fn secret() -> Secret {
    Secret::new(SECRET).unwrap()
}

/// Two members each of conversations 0, 1, 2 …
fn people(count: usize) -> Vec<String> {
    (0..count).map(|index| format!(r#"{{"user":"u{index}","conversation":"c{}"}}"#, index / 2)).collect()
}

struct Run {
    start: Start,
    addr: std::net::SocketAddr,
    shown: watch::Receiver<Live>,
    stop: CancellationToken,
}

async fn a_run(expect: u32, plan: Value, users: usize) -> Run {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (live, shown) = watch::channel(Live::default());
    let stop = CancellationToken::new();
    let limits = Limits { lead: Duration::from_millis(50), join_within: Duration::from_secs(60), ..Limits::default() };
    let start = Start {
        listener,
        expect,
        secret: secret(),
        clock: Clock::start(),
        plan,
        people: people(users),
        live,
        stop: stop.clone(),
        began: None,
        limits,
    };
    Run { start, addr, shown, stop }
}

/// What the workers of these tests do: a report of the fields that the tests read, after what the plan wants.
async fn part(mut assignment: Assignment, live: watch::Sender<Live>, clock: Clock) -> Result<Report, Failure> {
    let does = assignment.plan["does"].as_str().unwrap_or("reports").to_owned();
    if does == "fails" {
        return Err(Failure { reason: "no target".into(), exit_code: 6 });
    }
    let users: Vec<String> =
        assignment.people.iter().map(|line| serde_json::from_str::<Value>(line).unwrap()["user"].to_string()).collect();
    let opened = users.len() as u64;
    let Some(start_us) = assignment.gate.ready().await else { return Err(Failure { reason: "stopped".into(), exit_code: 130 }) };
    // The beginning on the wall's clock, wherever this process is by now.
    let began_ms = unix_ms() as i64 - (clock.micros() as i64 - start_us as i64) / 1000;
    live.send_modify(|live| live.counts.opened = opened);
    if does == "waits" {
        assignment.stop.cancelled().await;
    }
    let mut histogram = crate::measure::Histogram::new();
    (1..=1000).for_each(|value| histogram.record(value * u64::from(assignment.index + 1) * 100));
    let report = json!({
        "schema": SCHEMA, "scenario": "text", "verdict": "pass", "exit_code": 0, "reasons": [], "seed": 1,
        "schedule_hash": assignment.index.to_string(), "began_at": began_ms.to_string(), "duration_s": 1.0,
        "counts": {"asked": opened, "opened": opened}, "not_opened": {}, "failures": {},
        "latency_ms": {"ack": crate::report::data::Percentiles::default(), "delivery": crate::report::data::Percentiles::default()},
        "metrics": {"ack": histogram.summary()}, "phases": [], "slo": [], "series": [], "marks": [],
        "server": crate::report::data::ServerCost::default(), "generator": crate::report::data::Generator::default(),
        "environment": crate::report::data::Environment { warnings: users, ..Default::default() }, "plan": assignment.plan,
    });
    Ok(serde_json::from_value(report).unwrap())
}

async fn worker(addr: std::net::SocketAddr, secret: Secret) -> Result<(), WorkError> {
    let clock = Clock::start();
    work(&addr.to_string(), &secret, clock, async |assignment, live| part(assignment, live, clock).await).await
}

/// Not a test by itself: what `LocalWorkers` starts below.
#[test]
fn as_a_child() {
    let arguments: Vec<String> = std::env::args().collect();
    let Some(join) = arguments.iter().position(|argument| argument == "--join") else { return };
    let secret = Secret::find(None).expect("the parent sets the variable");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Err(error) = runtime.block_on(worker(arguments[join + 1].parse().unwrap(), secret)) {
        eprintln!("a child ends: {error}");
        std::process::exit(1);
    }
}

fn children(count: u32, addr: std::net::SocketAddr) -> LocalWorkers {
    let own = std::env::current_exe().unwrap();
    // After `--` the test harness takes the rest for names of tests.
    let arguments = ["--exact", "workers::tests::as_a_child", "--nocapture", "--"];
    LocalWorkers::start(&own, &arguments, count, addr, &secret()).unwrap()
}

fn reports(outcome: &Outcome) -> Vec<&Report> {
    let ended = outcome.parts.iter().map(|part| &part.ended);
    ended.filter_map(|ended| if let Ended::Report(report) = ended { Some(report.as_ref()) } else { None }).collect()
}

#[tokio::test]
async fn three_processes_begin_together_and_their_reports_become_one() {
    let run = a_run(3, json!({"does": "reports"}), 20).await;
    let workers = children(3, run.addr);
    let outcome = coordinate(run.start).await.unwrap();
    assert!(workers.join().await.into_iter().all(|status| status.unwrap().success()));

    let mut users: Vec<String> = reports(&outcome).iter().flat_map(|report| report.environment.warnings.clone()).collect();
    users.sort();
    users.dedup();
    assert_eq!(users.len(), 20, "everybody takes part once");
    assert_eq!(outcome.parts.iter().map(|part| part.people).sum::<u64>(), 20);
    let began: Vec<i64> = reports(&outcome).iter().map(|report| report.began_at.parse().unwrap()).collect();
    let apart = began.iter().max().unwrap() - began.iter().min().unwrap();
    let error_ms = outcome.parts.iter().map(|part| part.clock_error_us).max().unwrap() as i64 / 1000;
    assert!(apart <= 2 * error_ms + 2, "began {apart} ms apart, clocks known to {error_ms} ms");

    let merged = merge(&outcome, |_| {}).unwrap();
    let ack = &merged.metrics["ack"];
    assert_eq!((ack.count, merged.counts.opened, merged.generator.workers), (3000, 20, 3));
    assert!((ack.percentiles_ms.max - 300.0).abs() < 0.3 && (ack.percentiles_ms.p50 - 81.8).abs() < 0.2, "{:?}", ack.percentiles_ms);
    assert!(merged.generator.clock_error_ms > 0.0);
    assert_eq!(merged.verdict, Verdict::Pass);
}

#[tokio::test]
async fn a_killed_process_makes_the_run_invalid_and_the_others_still_report() {
    let mut run = a_run(2, json!({"does": "waits"}), 12).await;
    let workers = children(2, run.addr);
    let coordinating = tokio::spawn(coordinate(run.start));
    run.shown.wait_for(|live| live.counts.opened == 12).await.unwrap();
    let victim = workers.pids()[0];
    let killed = tokio::process::Command::new("kill").args(["-KILL", &victim.to_string()]).status().await.unwrap();
    assert!(killed.success());
    run.shown.wait_for(|live| live.marks.iter().any(|mark| mark.what.ends_with(" lost"))).await.unwrap();
    assert!(!coordinating.is_finished(), "the other one goes on");
    run.stop.cancel();
    let outcome = coordinating.await.unwrap().unwrap();

    let lost = outcome.parts.iter().find(|part| part.name.ends_with(&format!(":{victim}"))).unwrap();
    assert!(matches!(&lost.ended, Ended::Lost(reason) if reason.contains("without a report")), "{lost:?}");
    assert_eq!(reports(&outcome).len(), 1);
    let merged = merge(&outcome, |_| {}).unwrap();
    assert_eq!((merged.verdict, merged.exit_code), (Verdict::Invalid, 5));
    assert_eq!((merged.counts.asked, merged.not_opened["never_tried"]), (12, lost.people));
    assert!(merged.reasons[0].contains(&lost.name), "{:?}", merged.reasons);
}

#[tokio::test]
async fn processes_end_with_their_coordinator() {
    let mut run = a_run(2, json!({"does": "waits"}), 4).await;
    let workers = children(2, run.addr);
    let coordinating = tokio::spawn(coordinate(run.start));
    run.shown.wait_for(|live| live.counts.opened == 4).await.unwrap();
    coordinating.abort();
    assert!(workers.join().await.into_iter().all(|status| !status.unwrap().success()));
}

#[tokio::test]
async fn a_stopped_run_still_brings_reports() {
    let mut run = a_run(2, json!({"does": "waits"}), 4).await;
    let workers = [tokio::spawn(worker(run.addr, secret())), tokio::spawn(worker(run.addr, secret()))];
    let coordinating = tokio::spawn(coordinate(run.start));
    run.shown.wait_for(|live| live.counts.opened == 4).await.unwrap();
    run.stop.cancel();
    assert_eq!(reports(&coordinating.await.unwrap().unwrap()).len(), 2);
    for worker in workers {
        worker.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_worker_that_fails_before_the_beginning_says_why() {
    let run = a_run(1, json!({"does": "fails"}), 2).await;
    let worker = tokio::spawn(worker(run.addr, secret()));
    let error = coordinate(run.start).await.unwrap_err();
    assert!(matches!(&error, CoordinateError::BeforeStart { exit_code: Some(6), reason, .. } if reason == "no target"), "{error}");
    assert!(matches!(worker.await.unwrap(), Err(WorkError::Run(_))));
}

#[tokio::test]
async fn another_secret_is_refused_and_takes_no_place() {
    let run = a_run(1, json!({}), 2).await;
    let coordinating = tokio::spawn(coordinate(run.start));
    let error = worker(run.addr, Secret::new("a different secret, as long").unwrap()).await.unwrap_err();
    assert!(matches!(error, WorkError::Join(JoinError::Refused { code: Refusal::Secret, .. })), "{error:?}");
    worker(run.addr, secret()).await.unwrap();
    assert_eq!(reports(&coordinating.await.unwrap().unwrap()).len(), 1);
}

#[tokio::test]
async fn a_coordinator_that_does_not_know_the_secret_gets_no_worker() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let impostor = async {
        let (mut reader, writer) = split(listener.accept().await.unwrap().0);
        let FromWorker::Hello(_) = reader.next().await.unwrap() else { panic!("hello comes first") };
        writer.send(&FromCoordinator::Challenge { nonce: "00".into(), proof: "00".repeat(32) }).await.unwrap();
        let _: FromWorker = reader.next().await.unwrap();
        writer.send(&FromCoordinator::Accepted { index: 0, of: 1 }).await.unwrap();
    };
    let (error, ()) = tokio::join!(worker(addr, secret()), impostor);
    assert!(matches!(error, Err(WorkError::Join(JoinError::Impostor))), "{error:?}");
}

#[tokio::test]
async fn another_version_is_refused_by_name_whatever_else_it_says() {
    let run = a_run(1, json!({}), 2).await;
    let coordinating = tokio::spawn(coordinate(run.start));
    let newer = Hello { version: VERSION + 1, schema: SCHEMA, nonce: "00".into(), ..Hello::default() };
    let mut unknown = serde_json::to_value(FromWorker::Hello(newer)).unwrap();
    unknown["a_field_of_the_future"] = json!(true);
    for hello in [unknown, json!({"kind": "hello"})] {
        let (mut reader, writer) = split(TcpStream::connect(run.addr).await.unwrap());
        writer.send(&hello).await.unwrap();
        let answer: FromCoordinator = reader.next().await.unwrap();
        let FromCoordinator::Refused { code: Refusal::Version, detail } = answer else { panic!("{answer:?}") };
        assert!(detail.contains(&format!("here {VERSION}")), "{detail}");
    }
    let (mut reader, writer) = split(TcpStream::connect(run.addr).await.unwrap());
    writer.send(&json!({"kind": "nonsense"})).await.unwrap();
    assert!(matches!(reader.next().await, Ok(FromCoordinator::Refused { code: Refusal::Protocol, .. })));
    worker(run.addr, secret()).await.unwrap();
    coordinating.await.unwrap().unwrap();
}

#[tokio::test]
async fn one_worker_too_many_is_told_so() {
    let mut run = a_run(1, json!({"does": "waits"}), 2).await;
    let first = tokio::spawn(worker(run.addr, secret()));
    let coordinating = tokio::spawn(coordinate(run.start));
    run.shown.wait_for(|live| live.counts.opened == 2).await.unwrap();
    let error = worker(run.addr, secret()).await.unwrap_err();
    assert!(matches!(error, WorkError::Join(JoinError::Refused { code: Refusal::Full, .. })), "{error:?}");
    run.stop.cancel();
    coordinating.await.unwrap().unwrap();
    first.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_silent_worker_is_lost() {
    let mut run = a_run(1, json!({}), 2).await;
    run.start.limits.silence_max = Duration::from_millis(200);
    let coordinating = tokio::spawn(coordinate(run.start));
    let hello = Hello { version: VERSION, schema: SCHEMA, nonce: "00".into(), name: "mute".into(), machine: String::new() };
    let stream = TcpStream::connect(run.addr).await.unwrap();
    let mut joined = super::handshake::join(stream, &secret(), hello).await.unwrap();
    loop {
        match joined.reader.next().await.unwrap() {
            FromCoordinator::Ping { number } => {
                joined.writer.send(&FromWorker::Pong { number, at_us: 5, unix_ms: unix_ms() }).await.unwrap();
            }
            FromCoordinator::Assignment { .. } => joined.writer.send(&FromWorker::Ready).await.unwrap(),
            FromCoordinator::Go { .. } => break,
            _ => {}
        }
    }
    let outcome = coordinating.await.unwrap().unwrap();
    assert!(matches!(&outcome.parts[0].ended, Ended::Lost(reason) if reason.starts_with("silent")), "{outcome:?}");
}

#[tokio::test]
async fn too_few_workers_are_an_error_that_names_the_refused() {
    let mut run = a_run(2, json!({}), 2).await;
    run.start.limits.join_within = Duration::from_millis(300);
    let coordinating = tokio::spawn(coordinate(run.start));
    let _ = worker(run.addr, Secret::new("a different secret, as long").unwrap()).await;
    let error = coordinating.await.unwrap().unwrap_err().to_string();
    assert!(error.contains("0 of 2 workers joined") && error.contains("the secret is another one"), "{error}");
}

#[tokio::test]
async fn a_stranger_cannot_make_the_coordinator_hold_a_large_frame() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut stranger = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    stranger.write_all(&(STRANGER_BYTES_MAX as u32 + 1).to_be_bytes()).await.unwrap();
    stranger.shutdown().await.unwrap();
    let error = admit(listener.accept().await.unwrap().0, &secret()).await.unwrap_err();
    assert!(matches!(error, JoinError::Frame(FrameError::TooLarge { limit: STRANGER_BYTES_MAX, .. })), "{error}");
}

#[tokio::test]
async fn a_frame_in_pieces_is_one_frame_and_two_in_one_piece_are_two() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut sender = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    sender.set_nodelay(true).unwrap();
    let (mut reader, _writer) = split(listener.accept().await.unwrap().0);
    let frame = [&2_u32.to_be_bytes()[..], b"17"].concat();
    let mut bytes = [frame.clone(), frame.clone(), frame].concat();
    let rest = bytes.split_off(8);
    sender.write_all(&bytes).await.unwrap();
    assert_eq!(reader.next::<u32>().await.unwrap(), 17);
    tokio::select! {
        biased;
        early = reader.next::<u32>() => panic!("half a frame became {early:?}"),
        written = sender.write_all(&rest) => written.unwrap(),
    }
    assert_eq!((reader.next::<u32>().await.unwrap(), reader.next::<u32>().await.unwrap()), (17, 17));
    drop(sender);
    assert!(matches!(reader.next::<u32>().await, Err(FrameError::Closed)));
}
