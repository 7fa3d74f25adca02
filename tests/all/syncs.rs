//! What the kernel is asked, seen by strace: no acknowledgement leaves before the sync that covers its entry, and a sync that fails ends
//! the process with 74 instead of acknowledging. kill -9 cannot show either: the page cache survives it.

use chat::wire::{Entry, body};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tests::{people::Person, process::Server, socket::Socket};
use uuid::Uuid;

const MESSAGES: usize = 20;
/// The sync that fails; the ones before it are told apart from those that never came.
const FAILING_SYNC: u32 = 6;

/// Attached to a running server; its lines are complete once it is told to let go.
struct Strace {
    child: Child,
    output: PathBuf,
    _folder: tempfile::TempDir,
}

impl Strace {
    /// `None` on a developer's machine without strace, or where tracing is forbidden. In CI that is a failure.
    fn attach(server: &Server, arguments: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let output = folder.path().join("trace");
        let started = Command::new("strace")
            .args(["-f", "-y", "-xx", "-s", "65536", "-p", &server.pid().to_string(), "-o"])
            .arg(&output)
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn();
        let said = started.map(|mut child| {
            let mut line = String::new();
            let read = BufReader::new(child.stderr.take().expect("piped")).read_line(&mut line);
            read.map(|_| (child, line))
        });
        match said {
            Ok(Ok((child, line))) if line.contains("attached") => Some(Self { child, output, _folder: folder }),
            refused => {
                assert!(std::env::var_os("CI").is_none(), "strace cannot attach: {refused:?}");
                eprintln!("skipped: strace cannot attach here: {refused:?}");
                None
            }
        }
    }

    fn detach(mut self) -> Vec<String> {
        let told = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().expect("kill runs");
        assert!(told.success(), "strace still runs");
        self.child.wait().expect("our own child can be waited for");
        let text = std::fs::read_to_string(&self.output).expect("strace wrote");
        text.lines().map(str::to_owned).collect()
    }
}

/// As strace writes strings with `-xx`.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect()
}

fn journal(server: &Server) -> PathBuf {
    let files = std::fs::read_dir(server.data().join("log/store")).expect("the store");
    let mut journals = files.map(|file| file.expect("a file").path()).filter(|path| path.extension().is_some_and(|kind| kind == "jnl"));
    let newest = journals.next().expect("a journal");
    assert_eq!(journals.next(), None, "a young store has one journal");
    newest
}

fn patient(server: &Server) -> Person {
    tests::people::mint(server, 2).into_iter().find(|person| person.role == "patient").expect("a patient among two")
}

/// Line numbers: where a call was begun and where it returned.
struct Call {
    begun: usize,
    returned: usize,
}

/// Calls of this name on this kind of file whose text holds `needle`.
fn calls<'a>(lines: &'a [String], names: &'a [&str], file: &'a str, needle: &'a str) -> impl Iterator<Item = Call> + 'a {
    lines.iter().enumerate().filter_map(move |(begun, line)| {
        let (thread, call) = line.split_once(' ')?;
        let (name, arguments) = call.trim_start().split_once('(')?;
        let wanted = names.contains(&name) && arguments.split_once('>')?.0.contains(file) && arguments.contains(needle);
        let resumed = |later: &&String| later.starts_with(&format!("{thread} ")) && later.contains(&format!("<... {name} resumed>"));
        let returned =
            if call.ends_with("<unfinished ...>") { begun + lines[begun..].iter().position(|later| resumed(&later))? } else { begun };
        wanted.then_some(Call { begun, returned })
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledgement_leaves_after_the_sync_that_covers_it() {
    let server = Server::start().await;
    let patient = patient(&server);
    let mut socket = Socket::open(server.port, &patient.access_token).await.expect("a socket");
    let Some(strace) = Strace::attach(&server, &["-e", "trace=write,writev,sendto,sendmsg,fdatasync"]) else { return };
    let ids: Vec<Uuid> = std::iter::repeat_with(Uuid::now_v7).take(MESSAGES).collect();
    for id in &ids {
        socket.say_and_wait(&patient.conversation, *id, "已经三天了").await.expect("the socket is open").expect("an acknowledgement");
    }
    let lines = strace.detach();
    let (journal, wire) = (hex(b".jnl"), hex(b"socket:"));
    for id in &ids {
        let written = calls(&lines, &["write"], &journal, &hex(id.as_bytes())).next().expect("the entry is written to the journal");
        let synced = calls(&lines, &["fdatasync"], &journal, "")
            .find(|sync| sync.begun > written.returned && lines[sync.returned].ends_with("= 0"))
            .expect("a sync covers it");
        let text = hex(id.to_string().as_bytes());
        let told = calls(&lines, &["write", "writev", "sendto", "sendmsg"], &wire, &text).next().expect("its sender hears of it");
        let first = told.begun;
        assert!(
            first > synced.returned,
            "told in line {first}, synced in {}:\n{}",
            synced.returned,
            lines[written.begun..=first].join("\n")
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_that_fails_ends_the_process_and_loses_nothing() {
    let mut server = Server::start().await;
    let patient = patient(&server);
    let mut socket = Socket::open(server.port, &patient.access_token).await.expect("a socket");
    let journal = journal(&server).to_string_lossy().into_owned();
    let inject = format!("inject=fdatasync:error=EIO:when={FAILING_SYNC}+");
    let Some(strace) = Strace::attach(&server, &["-P", &journal, "-e", "trace=fdatasync", "-e", &inject]) else { return };
    let mut acked = Vec::new();
    let unsure = loop {
        let id = Uuid::now_v7();
        match socket.say_and_wait(&patient.conversation, id, "还在疼").await {
            Some(Ok(sent)) => acked.push((sent.seq, id)),
            Some(Err(_)) | None => break id,
        }
        assert!(acked.len() < FAILING_SYNC as usize, "acknowledged without a sync: {acked:?}");
    };
    assert!(!acked.is_empty(), "the syncs before it worked");
    let status = server.ended();
    assert_eq!(status.code(), Some(74), "{status}:\n{}", server.log());
    drop(strace);
    server.restart().await;
    let mut socket = Socket::open(server.port, &patient.access_token).await.expect("the token outlives the restart");
    let sent = socket.say_and_wait(&patient.conversation, unsure, "还在疼").await.expect("the socket is open").expect("a second try works");
    let entries = socket.history(&patient.conversation).await;
    assert_eq!(entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), (1..=entries.len() as u64).collect::<Vec<_>>());
    let texts: Vec<(u64, Uuid)> =
        entries.iter().filter(|entry| is_text(entry)).map(|entry| (entry.seq, entry.id.parse().expect("an id"))).collect();
    acked.push((sent.seq, unsure));
    assert_eq!(texts, acked, "each of them stands once, where it was acknowledged");
    assert!(server.terminate().success(), "{}", server.log());
    assert!(server.wenzhen(&["verify"]).status.success());
}

fn is_text(entry: &Entry) -> bool {
    matches!(entry.body.as_ref().and_then(|body| body.kind.as_ref()), Some(body::Kind::Text(_)))
}
