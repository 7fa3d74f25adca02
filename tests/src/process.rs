//! The real binary, started, killed, restarted on the same folders. Readiness is awaited, never slept for.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const READY_WITHIN: Duration = Duration::from_secs(60);

/// A demo server of our own. Dropping it kills the process and removes the folders.
#[derive(Debug)]
pub struct Server {
    child: Option<Child>,
    folders: TempDir,
    pub port: u16,
}

impl Server {
    /// Starts on a free port and returns once `/readyz` says so.
    pub async fn start() -> Self {
        let folders = tempfile::tempdir().expect("a temporary folder");
        let mut server = Self { child: None, folders, port: free_port() };
        server.restart().await;
        server
    }

    pub async fn restart(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(self.folders.path().join("server.log")).expect("a log file");
        let child = wenzhen()
            .args(["serve", "--demo", "--addr", &format!("127.0.0.1:{}", self.port), "--data"])
            .arg(self.data())
            .arg("--keys")
            .arg(self.keys())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log file again"))
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        self.child = Some(child);
        self.ready().await;
    }

    async fn ready(&mut self) {
        let url = self.url("/readyz");
        // The first of several tests in this process wins; the others find it there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::new();
        let waiting = async {
            let mut every = tokio::time::interval(Duration::from_millis(20));
            loop {
                every.tick().await;
                if http.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                    return;
                }
                if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten()) {
                    panic!("the server ended with {status} before it was ready:\n{}", self.log());
                }
            }
        };
        let ready = tokio::time::timeout(READY_WITHIN, waiting).await;
        assert!(ready.is_ok(), "not ready within {READY_WITHIN:?}:\n{}", self.log());
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn data(&self) -> PathBuf {
        self.folders.path().join("data")
    }

    pub fn keys(&self) -> PathBuf {
        self.folders.path().join("keys")
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folders.path().join("server.log")).unwrap_or_default()
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// kill -9: no destructor, no flush, no goodbye.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("our own child can be killed");
            child.wait().expect("our own child can be waited for");
        }
    }

    /// Waits until it ends by itself.
    pub fn ended(&mut self) -> ExitStatus {
        self.child.take().expect("the server runs").wait().expect("our own child can be waited for")
    }

    /// SIGTERM and the exit status after draining.
    pub fn terminate(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("the server runs");
        let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill runs");
        assert!(sent.success(), "the signal was sent");
        child.wait().expect("our own child can be waited for")
    }

    /// Another command of the binary on this server's folders.
    pub fn wenzhen(&self, arguments: &[&str]) -> Output {
        wenzhen().args(arguments).arg("--data").arg(self.data()).arg("--keys").arg(self.keys()).output().expect("the binary runs")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The binary without our own variables: its configuration refuses what it does not know.
fn wenzhen() -> Command {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("WENZHEN_")) {
        command.env_remove(name);
    }
    command
}

/// `wenzhen` of the profile these tests were built with, beside their own executable.
pub fn binary() -> PathBuf {
    let own = std::env::current_exe().expect("an executable");
    let profile = own.parent().and_then(Path::parent).expect("target/<profile>/deps/<test>");
    let binary = profile.join("wenzhen");
    assert!(binary.exists(), "{} is not built; run `cargo build --workspace --all-targets`", binary.display());
    binary
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}
