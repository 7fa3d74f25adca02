//! A row of either engine, and the macro that maps it to a struct by column names.

use super::{Column, DbError};
use sqlx::{ColumnIndex, Decode, Postgres, Sqlite, Type, postgres::PgRow, sqlite::SqliteRow};

#[allow(missing_debug_implementations)] // a row holds people's data
pub enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// Where in the row.
#[derive(Clone, Copy, Debug)]
pub enum At<'a> {
    Name(&'a str),
    First,
}

pub trait FromRow: Sized {
    fn from_row(row: &Row) -> Result<Self, DbError>;
}

/// Declares a struct that is read from the columns of the same names:
/// `row! { pub(super) struct AccountRow { id: UserId, name: String, closed_at: Option<Timestamp> } }`
#[macro_export]
macro_rules! row {
    ($($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty),+ $(,)? })+) => {$(
        $(#[$meta])*
        $vis struct $name { $($(#[$field_meta])* $field_vis $field: $type),+ }
        impl $crate::db::FromRow for $name {
            fn from_row(row: &$crate::db::Row) -> Result<Self, $crate::db::DbError> {
                Ok(Self { $($field: row.get(stringify!($field))?),+ })
            }
        }
    )+};
}

impl Row {
    pub fn get<T: Column>(&self, name: &str) -> Result<T, DbError> {
        T::read(self, At::Name(name))
    }

    /// The stored form, for [`column!`](crate::column).
    pub fn raw<T>(&self, at: At<'_>) -> Result<T, DbError>
    where
        T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>,
    {
        match (self, at) {
            (Self::Sqlite(row), At::Name(name)) => read(row, name),
            (Self::Sqlite(row), At::First) => read(row, 0),
            (Self::Postgres(row), At::Name(name)) => read(row, name),
            (Self::Postgres(row), At::First) => read(row, 0),
        }
    }
}

fn read<R, I, T>(row: &R, index: I) -> Result<T, DbError>
where
    R: sqlx::Row,
    I: ColumnIndex<R>,
    T: for<'r> Decode<'r, R::Database> + Type<R::Database>,
{
    row.try_get(index).map_err(DbError::Sql)
}

pub(super) struct Scalar<T>(pub T);

impl<T: Column> FromRow for Scalar<T> {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        T::read(row, At::First).map(Self)
    }
}

pub(super) fn sqlite_rows(rows: Vec<SqliteRow>) -> Vec<Row> {
    rows.into_iter().map(Row::Sqlite).collect()
}

pub(super) fn postgres_rows(rows: Vec<PgRow>) -> Vec<Row> {
    rows.into_iter().map(Row::Postgres).collect()
}
