//! The way from the log's writer thread to the sockets. The log is opened before the hub exists, so it gets this.
//!
//! Never blocks the writer: commits go through a bounded queue to one task, which keeps their order. When the queue is full the writer
//! delivers itself, out of order; clients see the gap and pull.

use super::Hub;
use crate::log::Committed;
use std::sync::{Arc, OnceLock};
use tokio::sync::mpsc::{self, error::TrySendError};

const COMMITS_QUEUED_MAX: usize = 8_192;

/// Made first, its callback goes into the log's options, itself into [`super::HubParts`].
#[derive(Clone, Default)]
pub struct Publisher {
    line: Arc<OnceLock<Line>>,
}

struct Line {
    queue: mpsc::Sender<Committed>,
    hub: std::sync::Weak<Hub>,
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Publisher")
    }
}

impl Publisher {
    /// For the log's `publish`. What is committed before the hub is there reaches nobody: nobody is connected yet.
    pub fn callback(&self) -> Arc<dyn Fn(&Committed) + Send + Sync> {
        let publisher = self.clone();
        Arc::new(move |committed| publisher.publish(committed))
    }

    pub fn publish(&self, committed: &Committed) {
        let Some(line) = self.line.get() else { return };
        match line.queue.try_send(committed.clone()) {
            Ok(()) | Err(TrySendError::Closed(_)) => {}
            Err(TrySendError::Full(committed)) => {
                metrics::counter!("wenzhen_publish_overtaken_total").increment(1);
                if let Some(hub) = line.hub.upgrade() {
                    hub.deliver(&committed);
                }
            }
        }
    }

    pub(super) fn attach(&self, hub: &Arc<Hub>) {
        let (queue, commits) = mpsc::channel(COMMITS_QUEUED_MAX);
        let hub = Arc::downgrade(hub);
        if self.line.set(Line { queue, hub: hub.clone() }).is_ok() {
            tokio::spawn(run(hub, commits));
        }
    }
}

async fn run(hub: std::sync::Weak<Hub>, mut commits: mpsc::Receiver<Committed>) {
    while let Some(committed) = commits.recv().await {
        let Some(hub) = hub.upgrade() else { return };
        hub.deliver(&committed);
    }
}
