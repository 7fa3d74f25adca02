//! Named points between two steps where a test stops the process as if it had been killed.
//!
//! Outside this crate's own tests a point is nothing. There, a point armed for an app never returns: the test drops the runtime
//! and with it everything that was in memory, then opens the stores again.

use crate::state::App;

#[cfg(not(test))]
#[allow(clippy::unused_async)] // the same shape as the switch below
pub(crate) async fn reach(_: &App, _: &'static str) {}

#[cfg(test)]
pub(crate) use armed::{arm, reach};

#[cfg(test)]
mod armed {
    use super::App;
    use std::{path::PathBuf, sync::Mutex};
    use tokio::sync::watch;

    /// Apps of one process are told apart by their folders.
    struct Point {
        name: &'static str,
        data: PathBuf,
        reached: watch::Sender<bool>,
    }

    static POINT: Mutex<Option<Point>> = Mutex::new(None);

    /// Disarms when dropped.
    #[derive(Debug)]
    pub(crate) struct Armed(watch::Receiver<bool>);

    /// Arms one point of one app; an earlier one is disarmed. Whoever arms is the only test of its process that does.
    pub(crate) fn arm(app: &App, name: &'static str) -> Armed {
        let (reached, receiver) = watch::channel(false);
        *lock() = Some(Point { name, data: app.config.data.clone(), reached });
        Armed(receiver)
    }

    impl Armed {
        /// Returns once something stands at the point.
        pub(crate) async fn reached(&mut self) {
            self.0.wait_for(|reached| *reached).await.expect("the sender lives in POINT until this value is dropped");
        }
    }

    impl Drop for Armed {
        fn drop(&mut self) {
            *lock() = None;
        }
    }

    pub(crate) async fn reach(app: &App, name: &'static str) {
        let stopped = lock().as_ref().is_some_and(|point| {
            let stopped = point.name == name && point.data == app.config.data;
            if stopped {
                point.reached.send_replace(true);
            }
            stopped
        });
        if stopped {
            std::future::pending::<()>().await;
        }
    }

    fn lock() -> std::sync::MutexGuard<'static, Option<Point>> {
        POINT.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
