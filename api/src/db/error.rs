//! What can go wrong in the store. Conflicts are told by kind, never by a constraint's name.

use sqlx::error::ErrorKind;

#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// A unique row was there already.
    #[error("a row with this key exists")]
    Duplicate,
    /// A foreign key or CHECK refused the row.
    #[error("the row breaks a constraint")]
    Constraint(#[source] sqlx::Error),
    #[error("a row that must exist is missing")]
    Missing,
    #[error("a stored {0} is outside its type")]
    Unreadable(&'static str),
    #[error("reading or writing business data")]
    Sql(#[source] sqlx::Error),
    #[error("migrating the schema of business data")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error(
        "the business data is of another version ({found}, this program has {wanted}): run `wenzhen migrate` or the program that wrote it"
    )]
    OtherVersion { found: i64, wanted: i64 },
    #[error("copying the business data to look at it")]
    Copy(#[source] std::io::Error),
    #[error("a stored JSON document is not what it should be")]
    Json(#[from] serde_json::Error),
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error().map(|refused| refused.kind()) {
            Some(ErrorKind::UniqueViolation) => Self::Duplicate,
            Some(ErrorKind::ForeignKeyViolation | ErrorKind::NotNullViolation | ErrorKind::CheckViolation) => Self::Constraint(error),
            _ => Self::Sql(error),
        }
    }
}
