//! Named points between two steps where a test stops the process as if it had been killed.
//!
//! Without the feature `failpoints` a point is nothing. With it, an armed point never returns: the test drops the runtime
//! and with it everything that was in memory, then opens the stores again.

#[cfg(not(feature = "failpoints"))]
#[allow(clippy::unused_async)] // the same shape as the switch below
pub async fn reach(_: &'static str) {}

#[cfg(feature = "failpoints")]
pub use armed::{Armed, arm, reach};

#[cfg(feature = "failpoints")]
mod armed {
    use std::sync::Mutex;
    use tokio::sync::watch;

    static POINT: Mutex<Option<(&'static str, watch::Sender<bool>)>> = Mutex::new(None);

    /// Disarms when dropped.
    #[derive(Debug)]
    pub struct Armed(watch::Receiver<bool>);

    /// Arms one point; an earlier one is disarmed. Whoever arms is the only test of its process that does.
    pub fn arm(point: &'static str) -> Armed {
        let (sender, receiver) = watch::channel(false);
        *lock() = Some((point, sender));
        Armed(receiver)
    }

    impl Armed {
        /// Returns once something stands at the point.
        pub async fn reached(&mut self) {
            // The sender lives in POINT until this value is dropped.
            let _ = self.0.wait_for(|reached| *reached).await;
        }
    }

    impl Drop for Armed {
        fn drop(&mut self) {
            *lock() = None;
        }
    }

    pub async fn reach(point: &'static str) {
        let stopped = {
            let armed = lock();
            let stopped = armed.as_ref().is_some_and(|(name, _)| *name == point);
            if let (true, Some((_, sender))) = (stopped, armed.as_ref()) {
                sender.send_replace(true);
            }
            stopped
        };
        if stopped {
            std::future::pending::<()>().await;
        }
    }

    fn lock() -> std::sync::MutexGuard<'static, Option<(&'static str, watch::Sender<bool>)>> {
        POINT.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
