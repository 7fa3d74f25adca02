//! With the real server: `wenzhen` of the profile that these tests were built with.

use super::launched::Launch;
use super::*;
use crate::machine::doctor::target::version;
use std::path::{Path, PathBuf};

fn server_bin() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let profile = own.parent().and_then(Path::parent).unwrap();
    let binary = profile.join("wenzhen");
    assert!(binary.exists(), "{} is not built; run `cargo build --workspace --all-targets`", binary.display());
    binary
}

fn launch() -> Launch {
    Launch { server_bin: Some(server_bin()), ..Launch::default() }
}

fn runs(pid: u32) -> bool {
    // A killed process whose parent has not waited for it still has its folder; Z is that state.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[tokio::test]
async fn a_launched_server_mints_people_survives_a_kill_proves_itself_and_leaves_nothing() {
    let mut server = Launched::start(&launch()).await.unwrap();
    assert!(server.ready_s > 0.0);
    let folder = server.folder().to_path_buf();
    let people = server.mint(4).await.unwrap();
    assert_eq!(people.len(), 4);
    let person: serde_json::Value = serde_json::from_str(&people[0]).unwrap();
    assert!(person["access_token"].is_string() && person["conversation"].is_string(), "the fields that the harness reads");

    let (first, url) = (server.pid().unwrap(), server.url().to_owned());
    server.kill().await.unwrap();
    assert!(!runs(first) && server.pid().is_none());
    assert!(answers(&format!("{url}/readyz")).await.is_err(), "nobody listens after a kill");
    assert!(server.restart().await.unwrap() > 0.0);
    assert_eq!(server.url(), url, "the same port");
    assert_eq!(answers(&format!("{url}/readyz")).await.unwrap().0, 200);
    assert!(version(&url).await.is_some_and(|version| version.contains('.')), "the version for the report");

    let verified = server.verify().await.unwrap();
    assert!(verified.holds && !verified.said.is_empty(), "{verified:?}");
    assert_eq!(server.pid(), None, "verify stops the server first");
    drop(server);
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_dropped_server_is_gone_with_its_folder() {
    let server = Launched::start(&launch()).await.unwrap();
    let (pid, folder) = (server.pid().unwrap(), server.folder().to_path_buf());
    assert!(runs(pid) && folder.join("data").exists());
    drop(server);
    assert!(!runs(pid) && !folder.exists());
}

#[tokio::test]
async fn a_kept_folder_stays_and_a_stopped_server_says_how_it_stopped() {
    let keep = std::env::temp_dir().join(format!("loadtest-kept-{}", std::process::id()));
    let mut server = Launched::start(&Launch { keep: Some(keep.clone()), ..launch() }).await.unwrap();
    let stopped = server.stop().await.unwrap().expect("it ran");
    assert!(stopped.graceful && stopped.status.success(), "{stopped:?}: {}", server.log_tail());
    assert!(server.stop().await.unwrap().is_none(), "it is down already");
    drop(server);
    assert!(keep.join("data").exists() && keep.join("server.log").exists());
    std::fs::remove_dir_all(keep).unwrap();
}

#[tokio::test]
async fn a_server_that_ends_before_it_is_ready_shows_the_end_of_its_log() {
    let keep = std::env::temp_dir().join(format!("loadtest-broken-{}", std::process::id()));
    std::fs::create_dir(&keep).unwrap();
    std::fs::write(keep.join("data"), "a file where the folder should be").unwrap();
    let error = Launched::start(&Launch { keep: Some(keep.clone()), ..launch() }).await.unwrap_err();
    std::fs::remove_dir_all(keep).unwrap();
    let TargetError::Ended { status, log } = error else { panic!("{error}") };
    assert!(!status.success() && log.contains("data"), "{log}");
}

#[tokio::test]
async fn a_missing_binary_says_how_to_build_it() {
    let nowhere = Launch { server_bin: Some("/nowhere/wenzhen".into()), ..Launch::default() };
    let error = Launched::start(&nowhere).await.unwrap_err().to_string();
    assert!(error.contains("/nowhere/wenzhen") && error.contains("cargo build --release -p api"), "{error}");
    let beside = binary::find(None).unwrap_err().to_string();
    assert!(beside.contains("deps/wenzhen"), "looked for beside the running executable: {beside}");
}

#[tokio::test]
async fn a_pinned_server_runs_on_its_cores() {
    let pin = match Pin::halves() {
        Ok(pin) => pin,
        Err(error) => return eprintln!("not tried: {error}"),
    };
    let server = match Launched::start(&Launch { pin: Some(pin.clone()), ..launch() }).await {
        Err(error @ TargetError::NoTaskset) => return eprintln!("not tried: {error}"),
        started => started.unwrap(),
    };
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid().unwrap())).unwrap();
    assert!(status.contains("Name:\twenzhen"), "taskset became the server: {status}");
    let cores = crate::machine::probe::cores_allowed(&status);
    assert_eq!(cores.iter().map(u32::to_string).collect::<Vec<_>>().join(","), pin.server);
}

#[test]
fn cores_are_split_in_halves() {
    let four = Pin::split(&[0, 1, 4, 5]).unwrap();
    assert_eq!((four.server.as_str(), four.generator.as_str()), ("0,1", "4,5"));
    let three = Pin::split(&[0, 1, 2]).unwrap();
    assert_eq!((three.server.as_str(), three.generator.as_str()), ("0", "1,2"));
    assert!(matches!(Pin::split(&[3]), Err(TargetError::TooFewCores { cores: 1 })));
}

#[tokio::test]
async fn a_server_elsewhere_is_killed_and_restarted_only_as_told() {
    let mut nobody = Foreign { url: "http://127.0.0.1:9".into(), pid: None, restart_command: None };
    assert!(matches!(nobody.kill().await, Err(TargetError::NotOurs("killed", _))));
    assert!(matches!(nobody.restart().await, Err(TargetError::NotOurs("restarted", _))));

    let ours = Launched::start(&launch()).await.unwrap();
    let mut server = Server::Foreign(Foreign { url: ours.url().into(), pid: ours.pid(), restart_command: Some("true".into()) });
    assert!(server.restart().await.unwrap() > 0.0, "it is ready, whatever the command did");
    assert_eq!(server.pid(), None, "another process answers after a restart");

    let mut failing = Foreign { url: ours.url().into(), pid: None, restart_command: Some("echo no >&2; exit 3".into()) };
    let error = failing.restart().await.unwrap_err().to_string();
    assert!(error.contains("exit status: 3") && error.contains("no"), "{error}");
}

#[tokio::test]
async fn a_paused_server_stands_still_until_it_is_resumed() {
    let mut server = Server::Launched(Launched::start(&launch()).await.unwrap());
    let pid = server.pid().unwrap();
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit_once(") ").unwrap().1.chars().next()
    };
    // A signal is on its way for a moment after `kill` has sent it.
    let becomes = async |stopped: bool| {
        while (state() == Some('T')) != stopped {
            tokio::task::yield_now().await;
        }
    };
    server.pause().await.unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(10), becomes(true)).await.expect("it stands still");
    server.resume().await.unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(10), becomes(false)).await.expect("it goes on");
    assert_eq!(answers(&format!("{}/readyz", server.url())).await.unwrap().0, 200);
    server.kill().await.unwrap();
    assert!(matches!(server.pause().await, Err(TargetError::NotOurs("paused", _))), "nobody is there");
}

#[tokio::test]
async fn a_foreign_server_is_killed_by_its_number() {
    let mut child = tokio::process::Command::new("sleep").arg("600").kill_on_drop(true).spawn().unwrap();
    let mut server = Foreign { url: "http://127.0.0.1:9".into(), pid: child.id(), restart_command: None };
    server.kill().await.unwrap();
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(child.wait().await.unwrap().signal(), Some(9));
}
