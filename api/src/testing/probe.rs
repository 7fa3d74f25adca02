//! A topic and a kind of timer for tests of outbox and timers themselves: what was handled, in which order, and trouble on order.

use crate::{
    Slice,
    outbox::{HandlerError, Message, Topic},
    state::App,
    timers::{Timer, TimerKind},
};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, sync::LazyLock};
use tokio::sync::watch;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

pub(crate) const LATER: &str = "probe.later";
pub(crate) const INLINE: &str = "probe.inline";
pub(crate) const TIMER: &str = "probe.timer";

pub(crate) const SLICE: Slice = Slice {
    routes: OpenApiRouter::new,
    topics: &[
        Topic { name: LATER, handle: |_, message| Box::pin(handle(message)), inline: false },
        Topic { name: INLINE, handle: |_, message| Box::pin(handle(message)), inline: true },
    ],
    timers: &[TimerKind { name: TIMER, fire: |app, timer| Box::pin(fire(app, timer)) }],
};

/// What the handler is to do.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Probe {
    pub word: String,
    /// Temporary failures before it succeeds.
    #[serde(default)]
    pub failures: usize,
    #[serde(default)]
    pub permanent: bool,
    /// Never returns the first time: the test drops the runtime under it.
    #[serde(default)]
    pub hangs_once: bool,
}

impl Probe {
    pub fn word(word: &str) -> Self {
        Self { word: word.into(), ..Self::default() }
    }

    /// For a timer's expected state.
    pub fn as_state(&self) -> String {
        serde_json::to_string(self).expect("a probe is JSON")
    }
}

/// Every attempt of this process, by key: the tests' own keys keep them apart.
static TRIED: LazyLock<watch::Sender<Tried>> = LazyLock::new(watch::Sender::default);

type Tried = HashMap<Uuid, Vec<String>>;

/// The words of a key in the order in which their handlers began.
pub(crate) fn tried(key: Uuid) -> Vec<String> {
    TRIED.borrow().get(&key).cloned().unwrap_or_default()
}

/// Returns once so many attempts have begun for the key.
pub(crate) async fn until_tried(key: Uuid, count: usize) {
    let mut tried = TRIED.subscribe();
    tried.wait_for(|tried| tried.get(&key).is_some_and(|words| words.len() >= count)).await.expect("the sender is static");
}

async fn handle(message: Message) -> Result<(), HandlerError> {
    attempt(message.key, message.payload()?).await
}

async fn fire(app: App, timer: Timer) -> Result<(), HandlerError> {
    assert!(timer.due_at <= app.clock.now(), "a timer is never early");
    let probe = serde_json::from_str(&timer.expected_state).map_err(|error| HandlerError::permanent(&error))?;
    attempt(timer.object, probe).await
}

async fn attempt(key: Uuid, probe: Probe) -> Result<(), HandlerError> {
    let mut earlier = 0;
    TRIED.send_modify(|tried| {
        let words = tried.entry(key).or_default();
        earlier = words.iter().filter(|word| **word == probe.word).count();
        words.push(probe.word.clone());
    });
    if probe.hangs_once && earlier == 0 {
        std::future::pending::<()>().await;
    }
    if probe.permanent {
        return Err(HandlerError::Permanent("asked to".into()));
    }
    if earlier < probe.failures {
        return Err(HandlerError::Temporary("asked to".into()));
    }
    Ok(())
}
