//! The command line and the exit codes a script relies on.

use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

pub const EXIT_PASS: u8 = 0;
pub const EXIT_USAGE: u8 = 1;
/// Wins over every other code.
pub const EXIT_INCORRECT: u8 = 4;
/// The generator was the limit: the figures say nothing about the server.
pub const EXIT_INVALID: u8 = 5;
pub const EXIT_TARGET: u8 = 6;
pub const EXIT_INFRASTRUCTURE: u8 = 7;

#[derive(Debug, Parser)]
#[command(name = "loadtest", version, about = "Drives a Wenzhen installation and checks what it delivers")]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs one scenario against an installation.
    Run(Run),
}

#[derive(Clone, Debug, clap::Args)]
pub struct Run {
    pub scenario: ScenarioName,
    /// Base URL of the installation, `http://127.0.0.1:8080`.
    #[arg(long)]
    pub target: String,
    /// JSON lines from `wenzhen admin mint-tokens`; `-` reads standard input.
    #[arg(long)]
    pub tokens: PathBuf,
    /// Sockets to open; all people of the token file when left out.
    #[arg(long)]
    pub users: Option<usize>,
    /// How sends come (`text`).
    #[arg(long, value_enum, default_value_t = Arrivals::Poisson)]
    pub arrivals: Arrivals,
    /// Messages per second over all people (`text`), with or without `/s`.
    #[arg(long, default_value = "100/s", value_parser = rate)]
    pub rate: f64,
    #[arg(long, default_value = "30s", value_parser = duration)]
    pub duration: Duration,
    #[arg(long, default_value = "5s", value_parser = duration)]
    pub warmup: Duration,
    /// Sockets opened per second.
    #[arg(long, default_value = "1000/s", value_parser = rate)]
    pub connect_rate: f64,
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Process of the server, when it runs here: its memory and CPU go into the report.
    #[arg(long)]
    pub server_pid: Option<u32>,
    /// Where the machine-readable report goes.
    #[arg(long)]
    pub json: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ScenarioName {
    /// Open sockets and heartbeats: memory and timer cost.
    Idle,
    /// People talking in pairs: acknowledgement and delivery latency, every message accounted for.
    Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Arrivals {
    /// Open loop at `--rate`: latency counts from the intended moment.
    Poisson,
    /// Everybody sends his next line when the last is acknowledged. A probe of capacity: latency is service time only.
    Closed,
}

fn rate(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    match number.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate.is_finite() => Ok(rate),
        _ => Err(format!("{text:?} is not a rate; write 5000/s")),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("{text:?} is not a duration; write 500ms, 30s, 10m or 1h")),
    };
    match number.parse::<f64>() {
        Ok(value) if value >= 0.0 && value.is_finite() => Ok(Duration::from_secs_f64(value * factor)),
        _ => Err(format!("{text:?} is not a duration; write 500ms, 30s, 10m or 1h")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_durations_say_what_is_wrong() {
        assert_eq!(rate("5000/s"), Ok(5000.0));
        assert_eq!(rate("0.5"), Ok(0.5));
        assert!(rate("0").is_err() && rate("-1/s").is_err() && rate("fast").is_err() && rate("inf").is_err());
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        assert!(duration("10 parsecs").is_err() && duration("s").is_err());
    }
}
