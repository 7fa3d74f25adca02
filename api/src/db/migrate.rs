//! Applies the migrations of the engine, each in a transaction, recorded with their checksums. Both folders hold the same numbers.

use super::{Db, DbError};
use crate::{row, sql};
use sqlx::migrate::Migrator;

static SQLITE: Migrator = sqlx::migrate!("./migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("./migrations/postgres");

row! { struct Applied { version: i64 } }

pub(super) async fn run(db: &Db) -> Result<(), DbError> {
    match db {
        Db::Sqlite { writer, .. } => SQLITE.run(writer).await?,
        Db::Postgres(pool) => POSTGRES.run(pool).await?,
    }
    Ok(())
}

/// Refuses data that other migrations made. Changes nothing.
pub(super) async fn check(db: &Db) -> Result<(), DbError> {
    let ours: Vec<i64> = SQLITE.iter().map(|step| step.version).collect();
    let theirs: Vec<Applied> = db.all(sql!("SELECT version FROM _sqlx_migrations ORDER BY version")).await?;
    let theirs: Vec<i64> = theirs.into_iter().map(|applied| applied.version).collect();
    if ours == theirs {
        return Ok(());
    }
    // The newest that only one side has.
    let newest = |these: &[i64], others: &[i64]| these.iter().rev().find(|version| !others.contains(version)).copied();
    let last = |these: &[i64]| these.last().copied().unwrap_or(0);
    Err(DbError::OtherVersion {
        found: newest(&theirs, &ours).unwrap_or_else(|| last(&theirs)),
        wanted: newest(&ours, &theirs).unwrap_or_else(|| last(&ours)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_folders_hold_the_same_migrations() {
        let names = |migrator: &Migrator| migrator.iter().map(|step| (step.version, step.description.to_string())).collect::<Vec<_>>();
        assert_eq!(names(&SQLITE), names(&POSTGRES));
    }
}
