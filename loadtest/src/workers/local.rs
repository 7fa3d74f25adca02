//! Worker processes on this machine: the same executable, told where to join. They end with their coordinator at the latest.

use super::secret::{SECRET_VARIABLE, Secret};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use tokio::process::{Child, Command};

#[derive(Debug)]
pub struct LocalWorkers(Vec<Child>);

impl LocalWorkers {
    /// `program arguments… --join ADDR` for each; the secret goes through the environment, which only the same user can read.
    pub fn start(program: &Path, arguments: &[&str], count: u32, join: SocketAddr, secret: &Secret) -> std::io::Result<Self> {
        let mut workers = Vec::new();
        for _ in 0..count {
            let mut command = Command::new(program);
            command.args(arguments).arg("--join").arg(join.to_string()).env(SECRET_VARIABLE, secret.expose());
            // A group of its own: Ctrl-C is for the coordinator, which tells the workers to stop.
            command.stdin(Stdio::null()).stdout(Stdio::null()).process_group(0).kill_on_drop(true);
            workers.push(command.spawn()?);
        }
        Ok(Self(workers))
    }

    #[cfg(test)]
    pub fn pids(&self) -> Vec<u32> {
        self.0.iter().filter_map(Child::id).collect()
    }

    /// Awaits the end of all, once the coordinator has closed their connections.
    pub async fn join(mut self) -> Vec<std::io::Result<std::process::ExitStatus>> {
        let mut ended = Vec::new();
        for child in &mut self.0 {
            ended.push(child.wait().await);
        }
        ended
    }
}
