//! `wenzhen verify`: proves the conversations and the ledger of a data folder, or names the first broken row. Exit 0 or 1.
//!
//! Changes no byte: log and SQLite are looked at in copies, keys are only read, nothing is migrated. Runs beside a stopped server. With
//! the keys also the words are proved.

use super::{STORAGE_FAILURE, block_on, fail};
use crate::{
    config::Config,
    db::{Db, DbConfig},
    keys::Keys,
    ledger, records,
};
use chat::{entropy::Entropy, seal::KeySource};
use std::{error::Error, io::Write, process::ExitCode};

pub(super) fn verify(config: Config) -> ExitCode {
    block_on(async {
        match prove(&config).await {
            Ok(findings) if findings.is_empty() => ExitCode::SUCCESS,
            Ok(findings) => {
                for finding in &findings {
                    say(&format!("BROKEN {finding}"));
                }
                ExitCode::FAILURE
            }
            Err(error) => fail(error.as_ref(), STORAGE_FAILURE),
        }
    })
}

async fn prove(config: &Config) -> Result<Vec<String>, Box<dyn Error + Send + Sync>> {
    let log_dir = config.data.join("log");
    let mut findings = Vec::new();
    if !log_dir.exists() {
        return Ok(vec![format!("{} holds no conversations", config.data.display())]);
    }
    // Without keys, order and chain are proved all the same.
    let keys = if config.keys.join("root.key").exists() { Some(Keys::examine(&config.keys, &Entropy::System)?) } else { None };
    let report = chat::log::verify(&log_dir, keys.as_ref().map(|keys| keys as &dyn KeySource)).await?;
    say(&format!(
        "log: {} conversations, {} entries, {} erased, bodies {}",
        report.conversations,
        report.entries,
        report.erased,
        if report.bodies_checked { "checked" } else { "not checked: no keys" }
    ));
    findings.extend(report.findings.iter().map(|finding| format!("log: {finding}")));
    match config.db() {
        DbConfig::Sqlite { file } if !file.exists() => findings.push(format!("{} is missing", file.display())),
        place => {
            let examined = Db::examine(&place).await?;
            let report = ledger::verify(&examined.db).await?;
            let reads = records::verify_reads(&examined.db).await?;
            examined.db.close().await;
            say(&format!(
                "ledger: {} transactions, captured {} fen, refunded {} fen",
                report.transactions, report.captured_fen, report.refunded_fen
            ));
            findings.extend(report.findings.iter().map(|finding| format!("ledger: {finding}")));
            say(&format!("reads of clinical data: {} chained, {} from before the chain", reads.chained, reads.unchained));
            findings.extend(reads.findings.iter().map(|finding| format!("clinical reads: {finding}")));
        }
    }
    if findings.is_empty() {
        say("sound");
    }
    Ok(findings)
}

fn say(line: &str) {
    // Nobody reading the report does not change what it says.
    let _ = writeln!(std::io::stdout(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sql, testing::TestApp};
    use std::{
        collections::BTreeMap,
        fs,
        path::{Path, PathBuf},
    };

    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            let target = to.join(entry.file_name());
            if entry.path().is_dir() {
                copy(&entry.path(), &target);
            } else {
                fs::copy(entry.path(), target).unwrap();
            }
        }
    }

    fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                found.extend(contents(&entry.path()));
            } else {
                found.insert(entry.path(), fs::read(entry.path()).unwrap());
            }
        }
        found
    }

    /// What a killed server leaves: a WAL that nobody has taken in, a record of the vault that was being written.
    async fn left_behind(test: &TestApp) -> (tempfile::TempDir, Config) {
        test.patient("13611110001").await;
        let left = tempfile::tempdir().unwrap();
        let config = Config { data: left.path().join("data"), keys: left.path().join("keys"), ..test.app.config.clone() };
        copy(&test.app.config.data, &config.data);
        copy(&test.app.config.keys, &config.keys);
        let vault = config.keys.join("vault.keys");
        fs::write(&vault, [fs::read(&vault).unwrap(), b"torn".to_vec()].concat()).unwrap();
        (left, config)
    }

    #[tokio::test]
    async fn what_is_proved_stays_as_it_is() {
        let test = TestApp::start().await;
        let (left, config) = left_behind(&test).await;
        let before = contents(left.path());
        if !crate::testing::engine::is_postgres() {
            assert!(before[&config.data.join("business.sqlite-wal")].len() > 1_000, "a WAL to take in");
        }
        assert_eq!(prove(&config).await.unwrap(), Vec::<String>::new());
        assert!(contents(left.path()) == before, "no file was changed, made or removed");
    }

    /// Data of an older program is refused as such, and not brought up to date by the way.
    #[tokio::test]
    async fn data_of_another_version_is_refused_and_left_alone() {
        let test = TestApp::start().await;
        let mut tx = test.app.db.begin().await.unwrap();
        tx.run(sql!("DELETE FROM _sqlx_migrations WHERE version = 50")).await.unwrap();
        test.app.commit(tx).await.unwrap();
        let (left, config) = left_behind(&test).await;
        let before = contents(left.path());
        let refused = prove(&config).await.unwrap_err().to_string();
        assert!(refused.contains("wenzhen migrate"), "{refused}");
        assert!(contents(left.path()) == before);
    }

    /// The chain of reads is part of the proof.
    #[tokio::test]
    async fn a_forgotten_read_is_found() {
        let test = TestApp::start().await;
        let mut tx = test.app.db.begin().await.unwrap();
        let hash = [0; 32];
        tx.run(sql!("INSERT INTO clinical_read_heads (tenant_id, seq, hash) VALUES ($1, 1, $2)", test.app.tenant, hash)).await.unwrap();
        test.app.commit(tx).await.unwrap();
        let (_left, config) = left_behind(&test).await;
        let findings = prove(&config).await.unwrap();
        assert!(findings.len() == 1 && findings[0].starts_with("clinical reads:"), "{findings:?}");
    }
}
