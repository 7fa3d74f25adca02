//! The command line: `wenzhen serve`. Exit codes follow sysexits: 78 for a bad configuration, 74 for failing storage.

use crate::{build, config, demo, server};
use chat::{clock::Clock, entropy::Entropy};
use clap::{Args, Parser, Subcommand};
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

const BAD_CONFIGURATION: u8 = 78;
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
    Serve(Serve),
}

#[derive(Debug, Args)]
struct Serve {
    /// TOML file; see deploy/wenzhen.example.toml.
    #[arg(long)]
    config: Option<PathBuf>,
    #[arg(long)]
    addr: Option<SocketAddr>,
    /// Folder of conversations, business data and attachments.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Folder of keys, apart from the data.
    #[arg(long)]
    keys: Option<PathBuf>,
    /// Simulated outside parties and an example hospital.
    #[arg(long)]
    demo: bool,
    /// Serve the web client from this folder.
    #[arg(long)]
    web_dir: Option<PathBuf>,
    /// Seed of the demo hospital.
    #[arg(long)]
    seed: Option<u64>,
}

pub fn run() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(options) => serve(options),
    }
}

fn serve(options: Serve) -> ExitCode {
    let loaded = config::load(options.config.as_deref(), std::env::vars());
    let mut config = match loaded {
        Ok(config) => config,
        Err(error) => return fail(&error, BAD_CONFIGURATION),
    };
    config.addr = options.addr.unwrap_or(config.addr);
    config.data = options.data.unwrap_or(config.data);
    config.keys = options.keys.unwrap_or(config.keys);
    config.web_dir = options.web_dir.or(config.web_dir);
    config.seed = options.seed.unwrap_or(config.seed);
    config.demo |= options.demo;
    crate::telemetry::start(&config.log);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error, STORAGE_FAILURE),
    };
    runtime.block_on(async {
        let app = match build(config, Clock::System, Entropy::System).await {
            Ok(app) => app,
            Err(error) => return fail(&error, STORAGE_FAILURE),
        };
        if app.config.demo && demo::fill(&app).await.is_err() {
            eprintln!("wenzhen: the demo hospital could not be written; the log says why");
            return ExitCode::from(STORAGE_FAILURE);
        }
        match server::run(app).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error, STORAGE_FAILURE),
        }
    })
}

fn fail(error: &(dyn std::error::Error + 'static), code: u8) -> ExitCode {
    eprintln!("wenzhen: {}", crate::http::causes(error));
    ExitCode::from(code)
}
