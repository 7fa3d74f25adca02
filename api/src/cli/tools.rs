//! The commands beside `serve`.

use super::{BAD_CONFIGURATION, STORAGE_FAILURE, block_on, fail};
use crate::{admin, config::Config, db::Db, keys::Keys};
use chat::entropy::Entropy;
use std::{
    fs,
    io::{BufWriter, Write},
    path::Path,
    process::ExitCode,
};

/// The configuration was read already; what is left is whether this machine can serve it.
pub(super) fn check(config: &Config) -> ExitCode {
    let mut findings = Vec::new();
    let mut note = |holds: bool, what: String| {
        println_ok(holds, &what);
        if !holds {
            findings.push(what);
        }
    };
    note(std::net::TcpListener::bind(config.addr).is_ok(), format!("address {} is free", config.addr));
    note(writable(&config.data), format!("data folder {} is writable", config.data.display()));
    note(writable(&config.keys), format!("keys folder {} is writable", config.keys.display()));
    let apart = !config.keys.starts_with(&config.data);
    note(apart, "keys lie outside the data folder".into());
    note(!config.demo || config.addr.ip().is_loopback(), "demo mode is bound to loopback".into());
    if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(BAD_CONFIGURATION) }
}

fn println_ok(holds: bool, what: &str) {
    let _ = writeln!(std::io::stdout(), "{} {what}", if holds { "ok  " } else { "FAIL" });
}

/// The folder, or the nearest one above it that exists.
fn writable(dir: &Path) -> bool {
    let absolute = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let existing = absolute.ancestors().find(|path| path.exists());
    existing.is_some_and(|path| fs::metadata(path).is_ok_and(|facts| facts.is_dir() && !facts.permissions().readonly()))
}

pub(super) fn migrate(config: Config) -> ExitCode {
    block_on(async {
        if let Err(error) = fs::create_dir_all(&config.data) {
            return fail(&error, STORAGE_FAILURE);
        }
        // The keys are opened too: an installation whose keys do not fit is better refused here than while serving.
        if let Err(error) = Keys::open(&config.keys, &Entropy::System) {
            return fail(&error, STORAGE_FAILURE);
        }
        match Db::open(&config.db()).await {
            Ok(db) => {
                db.close().await;
                ExitCode::SUCCESS
            }
            Err(error) => fail(&error, STORAGE_FAILURE),
        }
    })
}

pub(super) fn mint_tokens(config: Config, count: usize) -> ExitCode {
    block_on(async {
        match admin::mint_tokens(config, count, &mut BufWriter::new(std::io::stdout())).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error @ admin::MintError::Write(_)) => fail(&error, STORAGE_FAILURE),
            Err(error) => fail(&error, 1),
        }
    })
}
