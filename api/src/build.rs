//! Builds the one [`App`] of a process from its configuration: the place where every seam's variant is chosen.

use crate::{
    SLICES,
    accounts::{Passwords, Revoked, Sms},
    config::Config,
    db::{Db, DbError},
    keys::{KeyError, Keys},
    outbox::Topic,
    search::Search,
    sql,
    state::{App, Parts},
    timers::TimerKind,
};
use chat::{clock::Clock, entropy::Entropy, ids::TenantId, token::TokenKeys};
use std::collections::HashMap;
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
    #[error("opening the keys")]
    Keys(#[from] KeyError),
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
    for slice in SLICES {
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
    let tokens = TokenKeys::new(keys.derived("access token v1"));
    Ok(App::new(Parts {
        passwords: Passwords::new(config.accounts.password_memory_kib),
        sms: Sms::simulator(),
        search: Search::default(),
        revoked: Revoked::default(),
        registry: registry(),
        outbox_wake: Notify::new(),
        timers_wake: Notify::new(),
        tasks: TaskTracker::new(),
        shutdown: CancellationToken::new(),
        config,
        db,
        clock,
        entropy,
        keys,
        tokens,
        tenant,
    }))
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
