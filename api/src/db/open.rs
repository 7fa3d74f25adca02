//! Opens the engine named by the configuration, logs which one, and migrates it.

use super::{Db, DbError, migrate};
use sqlx::{
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{path::PathBuf, str::FromStr, time::Duration};

/// Readers beside the one writer: reads of one consultation page run side by side, more only queue at the disk.
const SQLITE_READERS_MAX: u32 = 8;
const POSTGRES_CONNECTIONS_MAX: u32 = 16;
/// Statements a connection keeps prepared; the whole product has a few hundred.
const STATEMENTS_CACHED_MAX: usize = 512;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
pub enum DbConfig {
    /// A file that is created when it is missing; its folder exists.
    Sqlite {
        file: PathBuf,
    },
    Postgres {
        url: String,
    },
}

impl Db {
    pub async fn open(config: &DbConfig) -> Result<Self, DbError> {
        let db = match config {
            DbConfig::Sqlite { file } => sqlite(file.clone()).await?,
            DbConfig::Postgres { url } => postgres(url).await?,
        };
        migrate::run(&db).await?;
        Ok(db)
    }
}

async fn sqlite(file: PathBuf) -> Result<Db, DbError> {
    tracing::info!(file = %file.display(), "db.sqlite");
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(ACQUIRE_TIMEOUT)
        .statement_cache_capacity(STATEMENTS_CACHED_MAX)
        .optimize_on_close(true, None);
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options.clone())
        .await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(SQLITE_READERS_MAX)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options.pragma("query_only", "ON"));
    Ok(Db::Sqlite { writer, readers })
}

async fn postgres(url: &str) -> Result<Db, DbError> {
    let options = PgConnectOptions::from_str(url)?.application_name("wenzhen").statement_cache_capacity(STATEMENTS_CACHED_MAX);
    tracing::info!(host = options.get_host(), "db.postgres");
    let pool =
        PgPoolOptions::new().max_connections(POSTGRES_CONNECTIONS_MAX).acquire_timeout(ACQUIRE_TIMEOUT).connect_with(options).await?;
    Ok(Db::Postgres(pool))
}
