//! Which SQL engine the tests of a run stand on: SQLite, or with `WENZHEN_TEST_ENGINE=postgres` the server at
//! `WENZHEN_TEST_POSTGRES_URL`, a schema for each app. The same tests pass on both.

use crate::{db::Db, state::App};
use chat::entropy::Entropy;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::path::Path;

/// Remembered in the test's folder, so that an app opened there again finds its rows again.
const REMEMBERED: &str = "database-url";

pub fn is_postgres() -> bool {
    std::env::var("WENZHEN_TEST_ENGINE").is_ok_and(|engine| engine == "postgres")
}

/// None = SQLite.
pub(super) async fn database_of(dir: &Path) -> Option<String> {
    if !is_postgres() {
        return None;
    }
    let file = dir.join(REMEMBERED);
    if let Ok(url) = std::fs::read_to_string(&file) {
        return Some(url);
    }
    let server = std::env::var("WENZHEN_TEST_POSTGRES_URL").expect("WENZHEN_TEST_ENGINE=postgres needs WENZHEN_TEST_POSTGRES_URL");
    let schema = format!("test_{:032x}", u128::from_be_bytes(Entropy::System.bytes()));
    let mut connection = PgConnection::connect(&server).await.expect("the server answers");
    // The name is made of hexadecimal digits above.
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA {schema}"))).execute(&mut connection).await.expect("makes a schema");
    connection.close().await.expect("parts from the server");
    let url = format!("{server}?options[search_path]={schema}");
    std::fs::write(&file, &url).expect("the folder takes a file");
    Some(url)
}

/// Everything the engine keeps of this app, for tests that look for what must not be readable there.
pub(super) async fn stored_bytes(app: &App) -> Vec<u8> {
    let Db::Postgres(pool) = &app.db else {
        return std::fs::read(app.config.data.join("business.sqlite")).expect("the file of business data");
    };
    let tables: Vec<String> = sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()")
        .fetch_all(pool)
        .await
        .expect("lists its tables");
    assert!(tables.len() > 10, "{tables:?}");
    let mut bytes = Vec::new();
    for table in tables {
        // Names of tables come from the engine itself.
        let rows = AssertSqlSafe(format!("SELECT t::text FROM {table} t"));
        let rows: Vec<String> = sqlx::query_scalar(rows).fetch_all(pool).await.expect("reads a table");
        bytes.extend(rows.concat().into_bytes());
    }
    bytes
}
