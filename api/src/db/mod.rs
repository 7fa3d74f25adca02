//! Business data behind one seam: SQLite in the process or PostgreSQL, one SQL text for both.
//!
//! Statements are written with [`sql!`](crate::sql), rows with [`row!`](crate::row); everything that writes goes through [`Tx`].
//! Never wait for the network inside a transaction: on SQLite it is the only writer. An error inside a transaction ends it
//! (PostgreSQL aborts it), so expected conflicts are `ON CONFLICT DO NOTHING` and a look at the count of rows.

mod column;
mod error;
mod migrate;
mod open;
mod row;
mod statement;
mod tx;

pub use column::{Column, Parameter, Value};
pub use error::DbError;
pub use open::{DbConfig, Examined};
pub use row::{At, FromRow, Row};
pub use statement::{Statement, placeholders};
pub use tx::Tx;

use sqlx::{PgPool, SqlitePool};

/// The two engines. Built once from the configuration by [`Db::open`], which also migrates.
#[derive(Clone, Debug)]
pub enum Db {
    /// WAL, `synchronous=FULL`, foreign keys; one writing connection, several reading ones.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

impl Db {
    /// A writing transaction. On SQLite it waits for its turn and takes the write lock at once, so it never fails halfway for a lock.
    pub async fn begin(&self) -> Result<Tx, DbError> {
        match self {
            Self::Sqlite { writer, .. } => Ok(Tx::sqlite(writer.begin_with("BEGIN IMMEDIATE").await?)),
            Self::Postgres(pool) => Ok(Tx::postgres(pool.begin().await?)),
        }
    }

    /// All rows of a read, outside of any transaction: each call sees everything committed before it.
    pub async fn all<T: FromRow>(&self, statement: Statement) -> Result<Vec<T>, DbError> {
        let rows = match self {
            Self::Sqlite { readers, .. } => row::sqlite_rows(statement.sqlite().fetch_all(readers).await?),
            Self::Postgres(pool) => row::postgres_rows(statement.postgres().fetch_all(pool).await?),
        };
        rows.iter().map(T::from_row).collect()
    }

    /// The first row, if there is one.
    pub async fn first<T: FromRow>(&self, statement: Statement) -> Result<Option<T>, DbError> {
        let row = match self {
            Self::Sqlite { readers, .. } => statement.sqlite().fetch_optional(readers).await?.map(Row::Sqlite),
            Self::Postgres(pool) => statement.postgres().fetch_optional(pool).await?.map(Row::Postgres),
        };
        row.as_ref().map(T::from_row).transpose()
    }

    /// The one row of an aggregate; [`DbError::Missing`] when there is none.
    pub async fn one<T: FromRow>(&self, statement: Statement) -> Result<T, DbError> {
        self.first(statement).await?.ok_or(DbError::Missing)
    }

    /// First column of the first row.
    pub async fn scalar<T: Column>(&self, statement: Statement) -> Result<Option<T>, DbError> {
        Ok(self.first::<row::Scalar<T>>(statement).await?.map(|scalar| scalar.0))
    }

    /// Asks the engine to parse and plan a statement without running it.
    pub async fn prepare(&self, text: &'static str) -> Result<(), DbError> {
        use sqlx::{Executor, SqlSafeStr};
        match self {
            Self::Sqlite { readers, .. } => drop(readers.acquire().await?.prepare(text.into_sql_str()).await?),
            Self::Postgres(pool) => drop(pool.acquire().await?.prepare(text.into_sql_str()).await?),
        }
        Ok(())
    }

    /// Waits for running transactions, then closes the files or connections.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

#[cfg(test)]
mod tests;
