//! The command line. Exit codes follow sysexits: 78 for a bad configuration, 74 for failing storage, 1 for a proof that failed.

mod repair;
mod serve;
mod tools;
mod verify;

use crate::config::{self, Config};
use clap::{Args, Parser, Subcommand};
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

pub(crate) const BAD_CONFIGURATION: u8 = 78;
pub(crate) const STORAGE_FAILURE: u8 = 74;

#[derive(Debug, Parser)]
#[command(name = "wenzhen", version, about = "Online consultation server")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server.
    Serve(Options),
    /// Reads the configuration and looks at the machine, without changing anything.
    Check(Options),
    /// Proves the conversations and the ledger of a stopped installation, or names the first broken row.
    Verify(Options),
    /// Moves a torn last batch of a stopped installation's message log to a side file; refuses where an anchored commit would go.
    Repair(Options),
    /// Opens the business data and brings its schema up to date.
    Migrate(Options),
    /// Tools for a running or stopped installation.
    Admin {
        #[command(subcommand)]
        command: Admin,
    },
}

#[derive(Debug, Subcommand)]
enum Admin {
    /// People for load tests, one JSON line each: {user, role, conversation, peer, access_token, expires_at_ms, refresh_token, session}.
    /// The same people every time, with new sessions. Demo mode only.
    MintTokens {
        /// How many people; two of them share a conversation.
        #[arg(long)]
        count: usize,
        #[command(flatten)]
        options: Options,
    },
}

const ENVIRONMENT: &str = "Environment: every WENZHEN_* variable is a key of the configuration file, [accounts] lockout_s is \
     WENZHEN_ACCOUNTS__LOCKOUT_S; only names that begin with WENZHEN_TEST_ are passed over. Variables lie over the file, options over both. An \
     unknown or unreadable one ends the start with exit code 78, before anything is opened.";

/// Over the file and the environment.
#[derive(Debug, Args)]
#[command(after_help = ENVIRONMENT)]
struct Options {
    /// TOML file; every key with its default stands in deploy/wenzhen.example.toml.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Address and port to listen on; port 0 takes a free one, which the banner names [default: 127.0.0.1:8080].
    #[arg(long)]
    addr: Option<SocketAddr>,
    /// Folder of conversations, business data and attachments [default: ./data].
    #[arg(long)]
    data: Option<PathBuf>,
    /// Folder of keys, apart from the data [default: ./keys].
    #[arg(long)]
    keys: Option<PathBuf>,
    /// Simulated outside parties and an example hospital.
    #[arg(long)]
    demo: bool,
    /// Serve the web client from this folder [default: the one inside the binary].
    #[arg(long)]
    web_dir: Option<PathBuf>,
    /// Seed of the demo hospital: the same seed, the same hospital [default: 1].
    #[arg(long)]
    seed: Option<u64>,
}

pub fn run() -> ExitCode {
    // Two crypto providers in one process panic at the first handshake: name ours before anything else does.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match Cli::parse().command {
        Command::Serve(options) => with_config(options, serve::serve),
        Command::Check(options) => with_config(options, |config| tools::check(&config)),
        Command::Verify(options) => with_config(options, verify::verify),
        Command::Repair(options) => with_config(options, |config| repair::repair(&config)),
        Command::Migrate(options) => with_config(options, tools::migrate),
        Command::Admin { command: Admin::MintTokens { count, options } } => {
            with_config(options, |config| tools::mint_tokens(config, count))
        }
    }
}

fn with_config(options: Options, then: impl FnOnce(Config) -> ExitCode) -> ExitCode {
    match options.lay_over() {
        Ok(config) => {
            crate::telemetry::start(&config.log);
            then(config)
        }
        Err(error) => fail(&error, BAD_CONFIGURATION),
    }
}

impl Options {
    fn lay_over(self) -> Result<Config, config::ConfigError> {
        let mut config = config::load(self.config.as_deref(), std::env::vars())?;
        config.addr = self.addr.unwrap_or(config.addr);
        config.keys = self.keys.unwrap_or(config.keys);
        config.data = self.data.unwrap_or(config.data);
        config.web_dir = self.web_dir.or(config.web_dir);
        config.seed = self.seed.unwrap_or(config.seed);
        config.demo |= self.demo;
        Ok(config)
    }
}

fn fail(error: &(dyn std::error::Error + 'static), code: u8) -> ExitCode {
    eprintln!("wenzhen: {}", crate::http::causes(error));
    ExitCode::from(code)
}

/// Runs a future on a runtime of its own.
fn block_on(work: impl Future<Output = ExitCode>) -> ExitCode {
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => fail(&error, STORAGE_FAILURE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// Every option says what it is, and what it is when it is absent is what the configuration says.
    #[test]
    fn the_help_names_the_defaults() {
        let mut command = Cli::command();
        let serve = command.find_subcommand_mut("serve").unwrap();
        let undescribed: Vec<_> =
            serve.get_arguments().filter(|option| option.get_help().is_none()).map(|option| option.get_id()).collect();
        assert!(undescribed.is_empty(), "{undescribed:?}");
        let help = serve.render_long_help().to_string();
        let defaults = Config::default();
        for default in
            [defaults.addr.to_string(), defaults.data.display().to_string(), defaults.keys.display().to_string(), defaults.seed.to_string()]
        {
            assert!(help.contains(&format!("[default: {default}]")), "{default}: {help}");
        }
        assert!(help.contains("WENZHEN_ACCOUNTS__LOCKOUT_S") && help.contains("exit code 78"), "{help}");
    }
}
