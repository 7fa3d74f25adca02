//! The metronome: events leave at their intended moments whatever the server does.

use super::Run;
use crate::schedule::{Intended, Schedule};
use std::sync::Arc;

pub(super) async fn pace(run: Arc<Run>, schedule: Schedule, mut act: impl FnMut(Intended) + Send + 'static) {
    let (done, finished) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name("pace".into()).spawn(move || {
        let start = run.start_micros();
        for event in schedule {
            // A run that was stopped drops the receiver.
            if done.is_closed() {
                break;
            }
            let due = start + event.at_micros;
            run.clock.block_until(due);
            run.meters.lag(due, run.clock.micros());
            act(event);
        }
        // Nobody waits any more when the run was stopped.
        let _ = done.send(());
    });
    if thread.is_ok() {
        // The sender goes with the thread, whichever way it ends.
        let _ = finished.await;
    }
}
