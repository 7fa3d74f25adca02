//! `wenzhen serve`, with the banner that says where everything is.

use super::{STORAGE_FAILURE, block_on, fail};
use crate::{build, config::Config, demo, server};
use chat::{clock::Clock, entropy::Entropy};
use std::{io::Write, net::SocketAddr, process::ExitCode};

pub(super) fn serve(config: Config) -> ExitCode {
    block_on(async {
        if config.demo
            && let Err(error) = demo::prepare(&config, Clock::System.now()).await
        {
            return fail(&error, STORAGE_FAILURE);
        }
        let app = match build(config, Clock::System, Entropy::System).await {
            Ok(app) => app,
            Err(error) => return fail(&error, STORAGE_FAILURE),
        };
        if app.config.demo && demo::fill(&app).await.is_err() {
            eprintln!("wenzhen: the demo hospital could not be written; the log says why");
            return ExitCode::from(STORAGE_FAILURE);
        }
        let is_demo = app.config.demo;
        match server::run(app, |addr| banner(addr, is_demo)).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error, STORAGE_FAILURE),
        }
    })
}

/// To standard output: it is the program's answer, not a log line. Nobody reading it is no reason to stop.
fn banner(addr: SocketAddr, is_demo: bool) {
    let mut text = format!(
        "\n  问诊 Wenzhen {version}\n\n  patient app         http://{addr}/\n  doctor workstation  http://{addr}/doctor\n  API                 http://{addr}/api/docs\n  socket              ws://{addr}/v1/socket\n",
        version = env!("CARGO_PKG_VERSION"),
    );
    if is_demo {
        text += &format!("  SMS inbox (demo)    http://{addr}/demo/inbox\n\n  demo accounts, password {}\n", demo::PASSWORD);
        for account in demo::accounts() {
            text += &format!("    {:<9} {:<12} {} {}\n", account.role, account.sign_in, account.name, account.about);
        }
    }
    let _ = writeln!(std::io::stdout(), "{text}");
}
