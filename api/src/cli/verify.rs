//! `wenzhen verify`: proves the conversations and the ledger of a data folder, or names the first broken row. Exit 0 or 1.
//!
//! Changes nothing. Runs beside a stopped server; the log is looked at in a copy. With the keys also the words are proved.

use super::{STORAGE_FAILURE, block_on, fail};
use crate::{
    config::Config,
    db::{Db, DbConfig},
    keys::Keys,
    ledger,
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
    // Opening would make them: without keys, order and chain are proved all the same.
    let keys = if config.keys.join("root.key").exists() { Some(Keys::open(&config.keys, &Entropy::System)?) } else { None };
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
            let db = Db::open(&place).await?;
            let report = ledger::verify(&db).await?;
            db.close().await;
            say(&format!(
                "ledger: {} transactions, captured {} fen, refunded {} fen",
                report.transactions, report.captured_fen, report.refunded_fen
            ));
            findings.extend(report.findings.iter().map(|finding| format!("ledger: {finding}")));
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
