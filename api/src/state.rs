//! What handlers are given: the stores, keys, clock and registries of one process. Built once, in [`crate::build`].

use crate::{
    Registry,
    accounts::{Passwords, Revoked, Sms},
    config::Config,
    consultations::Followed,
    db::{Db, DbError, Tx},
    keys::Keys,
    outbox::{self, Topic},
    payments::Gateway,
    search::Search,
    timers::TimerKind,
};
use chat::{
    clock::Clock,
    entropy::Entropy,
    hub::{Delivery, Hub},
    ids::{TenantId, UserId},
    log::MessageLog,
    token::TokenKeys,
    wire::Changed,
};
use signaling::CallService;
use std::{
    ops::Deref,
    sync::{Arc, OnceLock, Weak},
};
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

/// Cheap to clone; derefs to its [`Parts`].
#[derive(Clone)]
pub struct App(Arc<Parts>);

#[allow(missing_debug_implementations)] // holds keys
pub struct Parts {
    pub config: Config,
    pub db: Db,
    pub clock: Clock,
    pub entropy: Entropy,
    pub keys: Keys,
    /// Who may speak and what was said. SQL reaches it only through the outbox.
    pub log: Arc<MessageLog>,
    /// Everybody's sockets on this node.
    pub hub: Arc<Hub>,
    pub calls: Arc<CallService>,
    /// Signs and verifies access tokens.
    pub tokens: TokenKeys,
    /// The hospital of this installation.
    pub tenant: TenantId,
    /// Sessions revoked within an access token's life.
    pub revoked: Revoked,
    pub passwords: Passwords,
    pub sms: Sms,
    /// How far the consultations have read the log.
    pub(crate) followed: Followed,
    /// Pictures and voice messages, sealed.
    pub attachments: media::Attachments,
    /// Index over doctors, departments and diseases.
    pub search: Search,
    /// The payment channel of this installation.
    pub payments: Gateway,
    pub(crate) registry: Registry,
    pub(crate) outbox_wake: Notify,
    pub(crate) timers_wake: Notify,
    /// Work that outlives its request; waited for while draining.
    pub tasks: TaskTracker,
    pub shutdown: CancellationToken,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("App")
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// The app as its own parts see it: there once it is built, gone once it is dropped.
#[derive(Clone, Default)]
pub(crate) struct LateApp(Arc<OnceLock<Weak<Parts>>>);

impl LateApp {
    pub(crate) fn get(&self) -> Option<App> {
        self.0.get().and_then(Weak::upgrade).map(App)
    }
}

impl App {
    pub(crate) fn new(parts: Parts, late: &LateApp) -> Self {
        let parts = Arc::new(parts);
        let first = late.0.set(Arc::downgrade(&parts)).is_ok();
        debug_assert!(first, "an app is built once from its parts");
        Self(parts)
    }

    /// Tells all devices of a person that an object outside the log moved (`consultation`, `order`, `notification`). A hint: it may
    /// be lost, so send it after the commit and let lists be fetched.
    pub fn tell_changed(&self, user: UserId, object: &'static str, id: Uuid) {
        let changed = Changed { object: object.to_owned(), id: id.to_string() };
        self.hub.send_to_user(user, changed.into(), Delivery::Normal);
    }

    /// Commits, then tries the outbox messages of the transaction that are marked inline. Finishes even if the caller goes away.
    pub async fn commit(&self, mut tx: Tx) -> Result<(), DbError> {
        let enqueued = std::mem::take(&mut tx.enqueued);
        let timers_moved = tx.timers_moved;
        tx.commit().await?;
        if timers_moved {
            self.timers_wake.notify_one();
        }
        if !enqueued.is_empty() {
            let app = self.clone();
            let task = self.tasks.spawn(async move { outbox::try_now(&app, enqueued).await });
            // A handler that panicked has left its claim to expire; the commit itself stands.
            let _ = task.await;
        }
        Ok(())
    }

    /// Stops the runners, waits for what they were doing, closes the stores.
    pub async fn close(&self) {
        self.shutdown.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        if let Err(error) = self.log.close().await {
            tracing::error!(error = %crate::http::causes(&error), "log.close");
        }
        self.db.close().await;
    }

    pub(crate) fn topic(&self, name: &str) -> Option<Topic> {
        self.registry.topics.get(name).copied()
    }

    pub(crate) fn timer_kind(&self, name: &str) -> Option<TimerKind> {
        self.registry.timers.get(name).copied()
    }
}
