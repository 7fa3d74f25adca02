//! Builds the one [`App`] of a process from its configuration: the place where every seam's variant is chosen.

use crate::{
    SLICES,
    accounts::{Passwords, Revoked, Sms},
    config::Config,
    consultations::Followed,
    db::{Db, DbError},
    keys::{KeyError, Keys},
    outbox::Topic,
    payments::{Folders, Gateway, GatewayError},
    realtime::{self, Needs, Realtime},
    search::Search,
    sql,
    state::{App, LateApp, Parts},
    timers::TimerKind,
};
use chat::{
    clock::Clock,
    entropy::Entropy,
    hub::Publisher,
    ids::TenantId,
    log::{Embedded, LogError, MessageLog, Options},
    token::TokenKeys,
};
use std::{collections::HashMap, sync::Arc};
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use utoipa_axum::router::OpenApiRouter;

/// What a slice brings.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    pub routes: fn() -> OpenApiRouter<App>,
    pub topics: &'static [Topic],
    pub timers: &'static [TimerKind],
}

/// Handlers by name.
#[derive(Clone, Debug)]
pub struct Registry {
    pub(crate) topics: HashMap<&'static str, Topic>,
    pub(crate) timers: HashMap<&'static str, TimerKind>,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("opening the business data")]
    Db(#[from] DbError),
    #[error("opening the payment channel")]
    Payments(#[from] GatewayError),
    #[error("opening the keys")]
    Keys(#[from] KeyError),
    #[error("the start was interrupted")]
    Stopped(#[source] tokio::task::JoinError),
    #[error("opening the conversation log")]
    Log(#[from] LogError),
    #[error("opening the attachments")]
    Attachments(#[from] media::MediaError),
    #[error("making the folder {path}")]
    Folder {
        path: String,
        #[source]
        source: std::io::Error,
    },
}

/// All topics and kinds of the slices. Two of one name would be a slice answering another's messages.
pub fn registry() -> Registry {
    let mut registry = Registry { topics: HashMap::new(), timers: HashMap::new() };
    #[cfg(test)]
    let slices = SLICES.iter().chain([&crate::testing::probe::SLICE]);
    #[cfg(not(test))]
    let slices = SLICES;
    for slice in slices {
        for topic in slice.topics {
            assert!(registry.topics.insert(topic.name, *topic).is_none(), "topic {} is registered twice", topic.name);
        }
        for kind in slice.timers {
            assert!(registry.timers.insert(kind.name, *kind).is_none(), "timer {} is registered twice", kind.name);
        }
    }
    registry
}

/// Opens the stores (migrating them) and assembles the app. Nothing runs in the background yet: see [`crate::server`].
pub async fn build(config: Config, clock: Clock, entropy: Entropy) -> Result<App, StartError> {
    let folder = |path: &std::path::Path| {
        std::fs::create_dir_all(path).map_err(|source| StartError::Folder { path: path.display().to_string(), source })
    };
    folder(&config.data)?;
    let keys = Keys::open(&config.keys, &entropy)?;
    let db = Db::open(&config.db()).await?;
    let tenant = tenant(&db, &clock, &entropy).await?;
    let publisher = Publisher::default();
    let log = Arc::new(open_log(&config, &clock, &entropy, &keys, &publisher).await?);
    let blobs = media::BlobStore::Local { dir: config.data.join("attachments") };
    let attachments = media::Attachments::open(&blobs, media::Limits::default())?;
    tracing::info!(store = ?blobs, "attachments.opened");
    let shutdown = CancellationToken::new();
    let payments = payments(&config, &clock, &entropy, &shutdown).await?;
    let tokens = TokenKeys::new(keys.derived("access token v1"));
    let late = LateApp::default();
    let needs = Needs { config: &config, clock: &clock, entropy: &entropy, tokens: &tokens, log: &log, publisher, late: &late };
    let Realtime { hub, calls } = realtime::start(needs);
    let parts = Parts {
        passwords: Passwords::new(config.accounts.password_memory_kib),
        sms: Sms::simulator(),
        followed: Followed::default(),
        search: Search::default(),
        revoked: Revoked::default(),
        registry: registry(),
        outbox_wake: Notify::new(),
        timers_wake: Notify::new(),
        tasks: TaskTracker::new(),
        shutdown,
        payments,
        attachments,
        config,
        db,
        clock,
        entropy,
        keys,
        tokens,
        log,
        hub,
        calls,
        tenant,
    };
    Ok(App::new(parts, &late))
}

/// Recovery blocks for up to a second or two after a kill.
async fn open_log(config: &Config, clock: &Clock, entropy: &Entropy, keys: &Keys, publisher: &Publisher) -> Result<MessageLog, StartError> {
    let mut options = Options::new(config.data.join("log"), clock.clone(), entropy.clone(), Arc::new(keys.clone()));
    options.publish = publisher.callback();
    options.on_poison = Arc::new(|why| {
        // A failed sync: nothing may be acknowledged any more, and only a restart finds out what is on disk.
        tracing::error!(why, "log.poisoned");
        std::process::exit(i32::from(crate::cli::STORAGE_FAILURE));
    });
    tracing::info!(dir = %options.dir.display(), "log.embedded");
    let opened = tokio::task::spawn_blocking(move || Embedded::open(options)).await.map_err(StartError::Stopped)?;
    Ok(MessageLog::Embedded(opened?))
}

/// The demo pays itself; otherwise the contract of the configuration, or no online payment.
async fn payments(config: &Config, clock: &Clock, entropy: &Entropy, shutdown: &CancellationToken) -> Result<Gateway, GatewayError> {
    let folders = Folders { data: &config.data, keys: &config.keys };
    match &config.wechat_pay {
        Some(contract) => Gateway::open(contract, clock.clone(), entropy.clone()),
        None if config.demo => Gateway::simulate(folders, config.addr, clock.clone(), entropy.clone(), shutdown.clone()).await,
        None => Ok(Gateway::None),
    }
}

/// The hospital's row, made at the first start.
async fn tenant(db: &Db, clock: &Clock, entropy: &Entropy) -> Result<TenantId, DbError> {
    if let Some(tenant) = db.scalar(sql!("SELECT id FROM tenants ORDER BY created_at LIMIT 1")).await? {
        return Ok(tenant);
    }
    let tenant: TenantId = entropy.id(clock.now());
    let mut tx = db.begin().await?;
    tx.run(sql!("INSERT INTO tenants (id, created_at) VALUES ($1, $2)", tenant, clock.now())).await?;
    tx.commit().await?;
    Ok(tenant)
}
