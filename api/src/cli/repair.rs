//! `wenzhen repair`: moves a torn last batch of the message log to a side file, so that the server opens again. Exit 0, or 1 when refused.
//!
//! Only on a stopped server's folder, and never below the anchor: what it refuses is for a backup.

use super::{STORAGE_FAILURE, fail};
use crate::config::Config;
use chat::log::{LogError, Repaired, repair as repair_log};
use std::{io::Write, process::ExitCode};

pub(super) fn repair(config: &Config) -> ExitCode {
    let dir = config.data.join("log");
    if !dir.exists() {
        say(&format!("{} holds no conversations", config.data.display()));
        return ExitCode::FAILURE;
    }
    match repair_log(&dir) {
        Ok(None) => {
            say("nothing is torn: nothing was changed");
            ExitCode::SUCCESS
        }
        Ok(Some(repaired)) => {
            tell(&repaired);
            ExitCode::SUCCESS
        }
        Err(error @ (LogError::Io { .. } | LogError::Engine { .. })) => fail(&error, STORAGE_FAILURE),
        Err(error) => {
            say(&format!("REFUSED {error}; nothing was changed"));
            ExitCode::FAILURE
        }
    }
}

fn tell(repaired: &Repaired) {
    let Repaired { journal, offset, bytes, side_file, commits, anchored } = repaired;
    say(&format!("moved {bytes} bytes, from byte {offset} on, of {} to {}", journal.display(), side_file.display()));
    say(&format!("{commits} commits stand, the {anchored} anchored ones among them; the batch that was cut began in the last half second"));
    say("keep the side file, and run `wenzhen verify`");
}

fn say(line: &str) {
    // Nobody reading the report does not change what it says.
    let _ = writeln!(std::io::stdout(), "{line}");
}
