//! A writing transaction. Dropped without a commit it is rolled back.
//!
//! It remembers which outbox rows were written in it, so that [`crate::state::App::commit`] can try them at once.

use super::{Column, DbError, FromRow, Row, Statement, row};
use sqlx::{Postgres, Sqlite, Transaction};

#[derive(Debug)]
enum Engine {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

#[derive(Debug)]
pub struct Tx {
    engine: Engine,
    /// Outbox rows of this transaction in order, with the claim of those to be tried at once.
    pub(crate) enqueued: Vec<(i64, Option<uuid::Uuid>)>,
    /// A timer was set or moved.
    pub(crate) timers_moved: bool,
}

impl Tx {
    pub(super) fn sqlite(transaction: Transaction<'static, Sqlite>) -> Self {
        Self { engine: Engine::Sqlite(transaction), enqueued: Vec::new(), timers_moved: false }
    }

    pub(super) fn postgres(transaction: Transaction<'static, Postgres>) -> Self {
        Self { engine: Engine::Postgres(transaction), enqueued: Vec::new(), timers_moved: false }
    }

    /// Runs a writing statement; how many rows it touched.
    pub async fn run(&mut self, statement: Statement) -> Result<u64, DbError> {
        Ok(match &mut self.engine {
            Engine::Sqlite(tx) => statement.sqlite().execute(&mut **tx).await?.rows_affected(),
            Engine::Postgres(tx) => statement.postgres().execute(&mut **tx).await?.rows_affected(),
        })
    }

    /// Like [`Tx::run`], true when exactly one row was touched: the answer of a compare-and-set.
    pub async fn run_one(&mut self, statement: Statement) -> Result<bool, DbError> {
        Ok(self.run(statement).await? == 1)
    }

    pub async fn all<T: FromRow>(&mut self, statement: Statement) -> Result<Vec<T>, DbError> {
        let rows = match &mut self.engine {
            Engine::Sqlite(tx) => row::sqlite_rows(statement.sqlite().fetch_all(&mut **tx).await?),
            Engine::Postgres(tx) => row::postgres_rows(statement.postgres().fetch_all(&mut **tx).await?),
        };
        rows.iter().map(T::from_row).collect()
    }

    pub async fn first<T: FromRow>(&mut self, statement: Statement) -> Result<Option<T>, DbError> {
        let row = match &mut self.engine {
            Engine::Sqlite(tx) => statement.sqlite().fetch_optional(&mut **tx).await?.map(Row::Sqlite),
            Engine::Postgres(tx) => statement.postgres().fetch_optional(&mut **tx).await?.map(Row::Postgres),
        };
        row.as_ref().map(T::from_row).transpose()
    }

    pub async fn one<T: FromRow>(&mut self, statement: Statement) -> Result<T, DbError> {
        self.first(statement).await?.ok_or(DbError::Missing)
    }

    pub async fn scalar<T: Column>(&mut self, statement: Statement) -> Result<Option<T>, DbError> {
        Ok(self.first::<row::Scalar<T>>(statement).await?.map(|scalar| scalar.0))
    }

    /// Makes it durable. Handlers use [`crate::state::App::commit`], which also tries the outbox.
    pub(crate) async fn commit(self) -> Result<(), DbError> {
        match self.engine {
            Engine::Sqlite(tx) => tx.commit().await?,
            Engine::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }

    pub async fn rollback(self) -> Result<(), DbError> {
        match self.engine {
            Engine::Sqlite(tx) => tx.rollback().await?,
            Engine::Postgres(tx) => tx.rollback().await?,
        }
        Ok(())
    }
}
