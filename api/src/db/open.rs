//! Opens the engine named by the configuration, logs which one, and migrates it.

use super::{Db, DbError, migrate};
use sqlx::{
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};
use tempfile::TempDir;

/// Readers beside the one writer: reads of one consultation page run side by side, more only queue at the disk.
const SQLITE_READERS_MAX: u32 = 8;
const POSTGRES_CONNECTIONS_MAX: u32 = 16;
/// Statements a connection keeps prepared; the whole product has a few hundred.
const STATEMENTS_CACHED_MAX: usize = 512;
/// The name of a copy in its folder.
const COPIED: &str = "business.sqlite";
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
            DbConfig::Postgres { url } => postgres(url, &[]).await?,
        };
        migrate::run(&db).await?;
        Ok(db)
    }
}

/// Business data as somebody has it who only looks.
#[derive(Debug)]
pub struct Examined {
    pub db: Db,
    _copy: Option<TempDir>,
}

impl Db {
    /// Opens without changing a byte, and without migrating: data of another version is refused. SQLite writes when it opens and when it
    /// closes (it takes the WAL in, keeps statistics), so it gets a copy; PostgreSQL is told that all transactions only read.
    pub async fn examine(config: &DbConfig) -> Result<Examined, DbError> {
        let examined = match config {
            DbConfig::Sqlite { file } => {
                let copy = copy(file).map_err(DbError::Copy)?;
                Examined { db: sqlite(copy.path().join(COPIED)).await?, _copy: Some(copy) }
            }
            DbConfig::Postgres { url } => Examined { db: postgres(url, &[("default_transaction_read_only", "on")]).await?, _copy: None },
        };
        migrate::check(&examined.db).await?;
        Ok(examined)
    }
}

/// The file and what a killed process left beside it.
fn copy(file: &Path) -> std::io::Result<TempDir> {
    let folder = TempDir::with_prefix("wenzhen-examine-")?;
    std::fs::copy(file, folder.path().join(COPIED))?;
    let beside = |path: &Path| {
        let mut name = path.as_os_str().to_owned();
        name.push("-wal");
        PathBuf::from(name)
    };
    match std::fs::copy(beside(file), beside(&folder.path().join(COPIED))) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(folder),
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

async fn postgres(url: &str, settings: &[(&str, &str)]) -> Result<Db, DbError> {
    let options = PgConnectOptions::from_str(url)?
        .options(settings.iter().copied())
        .application_name("wenzhen")
        .statement_cache_capacity(STATEMENTS_CACHED_MAX);
    tracing::info!(host = options.get_host(), "db.postgres");
    let pool =
        PgPoolOptions::new().max_connections(POSTGRES_CONNECTIONS_MAX).acquire_timeout(ACQUIRE_TIMEOUT).connect_with(options).await?;
    Ok(Db::Postgres(pool))
}
