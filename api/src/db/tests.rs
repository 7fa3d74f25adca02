use super::*;
use crate::{row, sql, testing::statements};
use std::path::PathBuf;
use uuid::Uuid;

async fn sqlite() -> (tempfile::TempDir, Db) {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(&DbConfig::Sqlite { file: dir.path().join("test.sqlite") }).await.unwrap();
    (dir, db)
}

/// None = not asked for on this machine; with `CI=true` it must be there.
async fn postgres() -> Option<Db> {
    let Ok(url) = std::env::var("WENZHEN_TEST_POSTGRES_URL") else {
        assert!(std::env::var("CI").is_err(), "CI needs WENZHEN_TEST_POSTGRES_URL: tests/engines/postgres starts one");
        return None;
    };
    Some(Db::open(&DbConfig::Postgres { url }).await.unwrap())
}

#[test]
fn placeholders_are_counted_by_their_highest_number() {
    assert_eq!(placeholders("SELECT 1"), 0);
    assert_eq!(placeholders("SELECT $1, $2, $1"), 2);
    assert_eq!(placeholders("INSERT INTO t VALUES ($9, $10, $11)"), 11);
}

#[tokio::test]
async fn every_statement_prepares_on_both_engines() {
    let found = statements();
    assert!(found.len() > 40, "only {} statements found: the scan is broken", found.len());
    let (_dir, sqlite) = sqlite().await;
    let mut engines = vec![("SQLite", sqlite)];
    engines.extend(postgres().await.map(|db| ("PostgreSQL", db)));
    let mut broken = Vec::new();
    for (engine, db) in &engines {
        for statement in &found {
            if let Err(error) = db.prepare(statement.text).await {
                let file: PathBuf = statement.file.clone();
                broken.push(format!("{engine} {}:{} {}\n{}", file.display(), statement.line, crate::http::causes(&error), statement.text));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
}

row! { struct OutboxLine { topic: String, object_key: Uuid, dead: Option<bool>, claim: Option<Uuid> } }

async fn values_come_back_as_they_went_in(db: &Db) {
    let key = Uuid::from_u128(0x0190_a5c8_7c1e_7b3a_9f0e_2f4b_8d1c_6a55);
    let mut tx = db.begin().await.unwrap();
    let seq: Option<i64> = tx
        .scalar(sql!(
            "INSERT INTO outbox (topic, object_key, payload, enqueued_at, due_at, attempts, closed_at, dead)
             VALUES ($1, $2, '', $3, $3, 0, $3, $4) RETURNING seq",
            "测试",
            key,
            i64::MAX,
            true
        ))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let line: OutboxLine = db.one(sql!("SELECT topic, object_key, dead, claim FROM outbox WHERE seq = $1", seq)).await.unwrap();
    assert_eq!((line.topic.as_str(), line.object_key, line.dead, line.claim), ("测试", key, Some(true), None));
}

async fn a_dropped_transaction_leaves_nothing_and_duplicates_are_told_by_kind(db: &Db) {
    let id = Uuid::new_v4_for_tests();
    let mut tx = db.begin().await.unwrap();
    tx.run(sql!("INSERT INTO tenants (id, created_at) VALUES ($1, 1)", id)).await.unwrap();
    drop(tx);
    let count = || db.scalar::<i64>(sql!("SELECT COUNT(*) FROM tenants WHERE id = $1", id));
    assert_eq!(count().await.unwrap(), Some(0));
    let mut tx = db.begin().await.unwrap();
    tx.run(sql!("INSERT INTO tenants (id, created_at) VALUES ($1, 1)", id)).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let again = tx.run(sql!("INSERT INTO tenants (id, created_at) VALUES ($1, 1)", id)).await;
    assert!(matches!(again, Err(DbError::Duplicate)), "{again:?}");
    tx.rollback().await.unwrap();
    assert_eq!(count().await.unwrap(), Some(1));
}

trait ForTests {
    fn new_v4_for_tests() -> Uuid;
}

impl ForTests for Uuid {
    fn new_v4_for_tests() -> Uuid {
        Uuid::from_bytes(chat::entropy::Entropy::System.bytes())
    }
}

#[tokio::test]
async fn sqlite_conforms() {
    let (_dir, db) = sqlite().await;
    values_come_back_as_they_went_in(&db).await;
    a_dropped_transaction_leaves_nothing_and_duplicates_are_told_by_kind(&db).await;
}

#[tokio::test]
async fn postgres_conforms() {
    if let Some(db) = postgres().await {
        values_come_back_as_they_went_in(&db).await;
        a_dropped_transaction_leaves_nothing_and_duplicates_are_told_by_kind(&db).await;
    }
}
