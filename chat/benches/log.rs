//! The embedded log alone: durable acknowledged messages per second, their latency, and reopening after a kill.
//!
//! Each figure is one JSON line `{name, value, unit, ceiling}`. The ceiling of a rate is the raw fdatasync rate of the same directory in the
//! same run times the writers: no engine that syncs before it answers can do more. `WENZHEN_BENCH_SECONDS` and `WENZHEN_BENCH_MESSAGES` scale it,
//! `WENZHEN_BENCH_DIR` says on which disk.

#![allow(clippy::print_stdout)] // printing is what it is for

use chat::clock::{Clock, Stopwatch};
use chat::entropy::Entropy;
use chat::ids::{ConversationId, UserId};
use chat::log::head::{ConversationState, Member, RetentionClass};
use chat::log::{Draft, Embedded, Guard, LogError, MessageLog, NewConversation, Options};
use chat::seal::MemoryKeys;
use chat::wire::{self, SenderRole, body::Kind};
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const REOPENINGS: usize = 5;
const CHILD: &str = "WENZHEN_BENCH_CHILD";
const TEXT: &str = "医生您好，孩子昨晚开始发烧，最高三十八度五，吃了退烧药能退下来，今天还需要去医院吗？";

type Anything = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Anything> {
    let runtime = tokio::runtime::Runtime::new()?;
    if let Some(dir) = std::env::var_os(CHILD) {
        return runtime.block_on(child(PathBuf::from(dir)));
    }
    let seconds = number("WENZHEN_BENCH_SECONDS", 5);
    let dir = tempfile::tempdir_in(
        std::env::var_os("WENZHEN_BENCH_DIR").map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from),
    )?;
    let syncs = fdatasync_rate(dir.path())?;
    figure("fdatasync", syncs, "1/s", None);
    for writers in [64, 1_024] {
        let store = dir.path().join(writers.to_string());
        let (rate, p50, p99) = runtime.block_on(acknowledged(&store, writers, Duration::from_secs(seconds)))?;
        figure(&format!("log_acked_{writers}_writers"), rate, "msg/s", Some(syncs * writers as f64));
        figure(&format!("log_ack_p50_{writers}_writers"), p50, "ms", None);
        figure(&format!("log_ack_p99_{writers}_writers"), p99, "ms", None);
    }
    let messages = number("WENZHEN_BENCH_MESSAGES", 300_000);
    let mut millis = reopened_after_kill(dir.path(), messages)?;
    millis.sort_unstable_by(f64::total_cmp);
    figure(&format!("log_reopen_after_kill_{messages}_messages"), millis[REOPENINGS / 2], "ms", Some(2_000.0));
    figure(&format!("log_reopen_after_kill_{messages}_messages_slowest"), millis[REOPENINGS - 1], "ms", Some(2_000.0));
    Ok(())
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn figure(name: &str, value: f64, unit: &str, ceiling: Option<f64>) {
    let value = (value * 100.0).round() / 100.0;
    println!("{}", serde_json::json!({ "name": name, "value": value, "unit": unit, "ceiling": ceiling.map(f64::round) }));
}

/// 4 KiB at a time into a preallocated file, as a journal does it.
fn fdatasync_rate(dir: &Path) -> Result<f64, Anything> {
    let mut file = std::fs::File::create(dir.join("raw"))?;
    file.set_len(64 << 20)?;
    file.sync_all()?;
    let (watch, mut syncs) = (Stopwatch::start(), 0_u32);
    while watch.elapsed_ms() < 2_000.0 && syncs < 16_000 {
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        syncs += 1;
    }
    Ok(f64::from(syncs) * 1_000.0 / watch.elapsed_ms())
}

fn open(dir: &Path, keys: MemoryKeys) -> Result<MessageLog, LogError> {
    Ok(MessageLog::Embedded(Embedded::open(Options::new(dir, Clock::System, Entropy::System, Arc::new(keys)))?))
}

async fn conversation(log: &MessageLog) -> Result<(ConversationId, UserId), LogError> {
    let id = |_| Entropy::System.uuid(Clock::System.now());
    let (conversation, patient) = (ConversationId(id(())), UserId(id(())));
    let new = NewConversation {
        id: conversation,
        tenant: chat::ids::TenantId::NIL,
        subject: patient,
        members: vec![Member { user: patient, role: SenderRole::Patient, visible_from: 1, left_at: None }],
        state: ConversationState::Open,
        retention: RetentionClass::Consultation,
        first: Vec::new(),
    };
    log.create(new).await?;
    Ok((conversation, patient))
}

fn text(sender: UserId) -> Draft {
    let body = wire::Body { kind: Some(Kind::Text(wire::Text { text: TEXT.into(), reply_to_seq: 0 })) };
    Draft { sender: Some(sender), id: Entropy::System.id(Clock::System.now()), body, urgent: false }
}

/// Each writer sends, waits for its acknowledgement, sends the next, in a conversation of its own.
async fn acknowledged(dir: &Path, writers: usize, time: Duration) -> Result<(f64, f64, f64), Anything> {
    let log = Arc::new(open(dir, MemoryKeys::new(Entropy::System))?);
    let stop = Arc::new(AtomicBool::new(false));
    let mut people = Vec::new();
    for _ in 0..writers {
        people.push(conversation(&log).await?);
    }
    let watch = Stopwatch::start();
    let mut tasks = Vec::new();
    for (conversation, patient) in people {
        let (log, stop) = (log.clone(), stop.clone());
        tasks.push(tokio::spawn(async move {
            let mut millis = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let sent = Stopwatch::start();
                log.append(conversation, vec![text(patient)], vec![Guard::SenderMaySpeak]).await?;
                millis.push(sent.elapsed_ms());
            }
            Ok::<_, LogError>(millis)
        }));
    }
    tokio::time::sleep(time).await;
    stop.store(true, Ordering::Relaxed);
    let mut millis = Vec::new();
    for task in tasks {
        millis.extend(task.await??);
    }
    let rate = millis.len() as f64 * 1_000.0 / watch.elapsed_ms();
    millis.sort_unstable_by(f64::total_cmp);
    let percentile = |share: f64| millis[((millis.len() - 1) as f64 * share) as usize];
    let result = (rate, percentile(0.5), percentile(0.99));
    log.close().await?;
    Ok(result)
}

/// Writes until it is killed; says `ready` after the asked number.
async fn child(dir: PathBuf) -> Result<(), Anything> {
    let log = Arc::new(open(&dir, MemoryKeys::new(Entropy::System))?);
    let wanted = number("WENZHEN_BENCH_MESSAGES", 300_000);
    let mut written = 0;
    loop {
        let mut tasks = Vec::new();
        for _ in 0..32 {
            let log = log.clone();
            tasks.push(tokio::spawn(async move {
                let (conversation, patient) = conversation(&log).await?;
                for _ in 0..10 {
                    log.append(conversation, (0..64).map(|_| text(patient)).collect(), vec![]).await?;
                }
                Ok::<_, LogError>(640)
            }));
        }
        for task in tasks {
            written += task.await??;
        }
        if written >= wanted {
            println!("ready");
        }
    }
}

/// One killed store, opened as often as asked, each time from the same files: its median and its slowest are told.
fn reopened_after_kill(dir: &Path, messages: u64) -> Result<Vec<f64>, Anything> {
    let killed = dir.join("killed");
    let mut child = Command::new(std::env::current_exe()?)
        .env(CHILD, &killed)
        .env("WENZHEN_BENCH_MESSAGES", messages.to_string())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().ok_or("the child has no output")?;
    let first = BufReader::new(output).lines().next();
    child.kill()?;
    child.wait()?;
    first.ok_or("the child wrote nothing")??;
    let mut millis = Vec::new();
    for round in 0..REOPENINGS {
        let copy = dir.join(format!("copy-{round}"));
        copy_folder(&killed, &copy)?;
        let watch = Stopwatch::start();
        let log = open(&copy, MemoryKeys::new(Entropy::System))?;
        millis.push(watch.elapsed_ms());
        drop(log);
        std::fs::remove_dir_all(&copy)?;
    }
    Ok(millis)
}

/// Synced, so that the opening does not wait for the copying.
fn copy_folder(from: &Path, to: &Path) -> Result<(), Anything> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().ok_or("an entry without a name")?);
        if path.is_dir() {
            copy_folder(&path, &target)?;
        } else {
            std::fs::copy(&path, &target)?;
            std::fs::File::open(&target)?.sync_all()?;
        }
    }
    Ok(())
}
