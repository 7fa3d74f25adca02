//! The command line and the exit codes a script relies on.

use crate::machine::doctor::Doctor;
use crate::machine::sources::SourceNet;
use crate::plan::{Arrivals, Fault, Rate, Slo, Span, Stages};
use crate::report::compare::Subject;
use crate::workers::{Sharing, Work};
use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

pub const EXIT_PASS: u8 = 0;
pub const EXIT_USAGE: u8 = 1;
pub const EXIT_PREFLIGHT: u8 = 2;
pub const EXIT_SLO: u8 = 3;
/// Wins over every other code.
pub const EXIT_INCORRECT: u8 = 4;
/// The generator was the limit: the figures say nothing about the server.
pub const EXIT_INVALID: u8 = 5;
pub const EXIT_TARGET: u8 = 6;
pub const EXIT_INFRASTRUCTURE: u8 = 7;
pub const EXIT_REGRESSION: u8 = 8;
pub const EXIT_STOPPED: u8 = 130;

#[derive(Debug, Parser)]
#[command(
    name = "loadtest",
    version,
    about = "Drives a Wenzhen installation over its public protocol and says what it did, how fast, and whether correctly",
    after_help = "Without a command it runs the canonical workload against a server that it starts itself.\n\
        Exit: 0 pass, 1 usage, 2 preflight, 3 objective missed, 4 incorrect (wins over all), 5 invalid (the generator was the limit), \
        6 target, 7 infrastructure, 8 regression, 130 stopped.",
    args_conflicts_with_subcommands = true
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub canonical: Canonical,
}

/// Options of the canonical workload.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Canonical {
    #[command(flatten)]
    pub server: ServerOptions,
    #[command(flatten)]
    pub output: Output,
    #[arg(long)]
    pub seed: Option<u64>,
    /// Everything at this part of its size, 0.1 for a tenth: people and rate.
    #[arg(long, default_value_t = 1.0)]
    pub size: f64,
    /// Of the load after the warm-up.
    #[arg(long)]
    pub duration: Option<Span>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs a scenario, or a scenario file, against an installation.
    Run(Box<Run>),
    /// Finds the largest rate that keeps the objective, then overloads, then watches the recovery.
    Capacity(Box<Capacity>),
    /// A worker of a run that is shared: joins its coordinator, takes its part, reports.
    Work(Work),
    /// What on this machine would spoil a run, and the exact fix.
    Doctor(Box<Doctor>),
    /// Writes the outputs of an earlier run again, from its JSON.
    Report(ReportAgain),
    /// Runs against a server that tells known lies, and against an honest one: all have to be found, and nothing else.
    Selftest(Selftest),
    /// Compares two reports; 8 when the newer one is worse, or better here and worse there.
    Compare(Compare),
    /// Lists the scenarios.
    Scenarios,
}

#[derive(Clone, Debug, clap::Args)]
pub struct Selftest {
    /// One lie by its name, or `honest`; may be given several times.
    #[arg(long)]
    pub only: Vec<String>,
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How often each lie is told, instead of its own number.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=10))]
    pub times: Option<u64>,
}

#[derive(Clone, Debug, clap::Args)]
pub struct Run {
    /// A scenario's name (`loadtest scenarios`) or a TOML file.
    pub scenario: String,
    #[command(flatten)]
    pub server: ServerOptions,
    #[command(flatten)]
    pub output: Output,
    /// People who take part; all of the token file when left out, 100 with a server of our own.
    #[arg(long)]
    pub users: Option<usize>,
    #[arg(long, value_enum, default_value_t = Arrivals::Poisson)]
    pub arrivals: Arrivals,
    /// Events per second over all people, with or without `/s`.
    #[arg(long)]
    pub rate: Option<Rate>,
    /// The rate over time, `0:0,60s:5000,10m:5000,30s:0`.
    #[arg(long, conflicts_with_all = ["rate", "duration"])]
    pub stages: Option<Stages>,
    /// Of the load after the warm-up.
    #[arg(long)]
    pub duration: Option<Span>,
    #[arg(long)]
    pub warmup: Option<Span>,
    /// Sockets opened per second.
    #[arg(long)]
    pub connect_rate: Option<Rate>,
    #[arg(long)]
    pub seed: Option<u64>,
    /// `delivery.p99 < 25ms during steady`; may be given several times.
    #[arg(long)]
    pub slo: Vec<Slo>,
    /// `kill9@30s`, `restart@30s`, `pause@30s+5s`; may be given several times.
    #[arg(long)]
    pub fault: Vec<Fault>,
    /// One of the scenario's own keys, `image_share=0.5`; may be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub options: Vec<String>,
    /// How long an answer may stay out before it is indeterminate.
    #[arg(long)]
    pub patience: Option<Span>,
}

#[derive(Clone, Debug, clap::Args)]
pub struct Capacity {
    /// A scenario that acknowledges (`text`).
    pub scenario: String,
    #[command(flatten)]
    pub server: ServerOptions,
    #[arg(long)]
    pub users: Option<usize>,
    /// The objective; may be given several times.
    #[arg(long, default_value = "ack.p99 < 25ms")]
    pub slo: Vec<Slo>,
    /// First rate.
    #[arg(long, default_value = "500/s")]
    pub start: Rate,
    /// How much more each time, until it breaks.
    #[arg(long, default_value = "50%", value_parser = percent)]
    pub step: f64,
    /// The search ends when what holds and what breaks are this near.
    #[arg(long, default_value = "5%", value_parser = percent)]
    pub refine: f64,
    /// How long each rate is held.
    #[arg(long, default_value = "20s")]
    pub hold: Span,
    #[arg(long, default_value = "3s")]
    pub warmup: Span,
    #[arg(long, default_value = "1000/s")]
    pub connect_rate: Rate,
    /// Recovered = the 99th percentile of acknowledgements is within this again.
    #[arg(long, default_value_t = 25.0)]
    pub recovered_ms: f64,
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    #[arg(long)]
    pub json: Option<PathBuf>,
}

#[derive(Clone, Debug, clap::Args)]
pub struct ReportAgain {
    pub file: PathBuf,
    #[arg(long)]
    pub html: Option<PathBuf>,
    #[arg(long)]
    pub junit: Option<PathBuf>,
    #[arg(long)]
    pub markdown: Option<PathBuf>,
    #[arg(long)]
    pub out: Option<PathBuf>,
}

#[derive(Clone, Debug, clap::Args)]
pub struct Compare {
    pub base: PathBuf,
    pub new: PathBuf,
    /// `ack.p99`, `call.setup.p50 during recovery`, `acked.rate`, `failed.share`, `server.cpu`; may be given several times. Left out,
    /// what people wait for, the rates, the failures and the server's processor time.
    #[arg(long)]
    pub metric: Vec<Subject>,
    /// Smaller changes count as the machine's mood.
    #[arg(long, default_value = "5%", value_parser = percent)]
    pub tolerance: f64,
    /// Of the resampling.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').parse::<f64>().map_err(|_| format!("{text:?} is not a percentage; write 25%"))?;
    if number > 0.0 && number < 1000.0 { Ok(number / 100.0) } else { Err(format!("{text:?} is not between 0 and 1000 %")) }
}

#[derive(Clone, Debug, Default, clap::Args)]
pub struct ServerOptions {
    /// Base URL of the installation, `http://127.0.0.1:8080`; several for several nodes. Left out, a server is started here.
    #[arg(long, value_delimiter = ',')]
    pub target: Vec<String>,
    /// JSON lines from `wenzhen admin mint-tokens`; `-` reads standard input. One file a target where the targets are installations
    /// of their own.
    #[arg(long, value_delimiter = ',')]
    pub tokens: Vec<PathBuf>,
    /// The `wenzhen` to start; beside this program when left out.
    #[arg(long, conflicts_with = "target")]
    pub server_bin: Option<PathBuf>,
    /// Folder in which the started server's data stays.
    #[arg(long, conflicts_with = "target")]
    pub keep: Option<PathBuf>,
    /// Server and generator on cores of their own.
    #[arg(long)]
    pub pin: bool,
    /// Process of a server that runs here: its memory and CPU go into the report.
    #[arg(long, requires = "target")]
    pub server_pid: Option<u32>,
    /// Brings a server back that a fault has killed.
    #[arg(long, requires = "target")]
    pub restart_command: Option<String>,
    /// Source addresses, for more connections than one address has ports: `127.16.0.0/12`.
    #[arg(long)]
    pub src_net: Option<SourceNet>,
    #[command(flatten)]
    pub sharing: Sharing,
    /// After the run the server of our own is stopped and `wenzhen verify` has to agree.
    #[arg(long)]
    pub verify: bool,
}

#[derive(Clone, Debug, Default, clap::Args)]
pub struct Output {
    /// Where the machine-readable report goes.
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// One self-contained page.
    #[arg(long)]
    pub html: Option<PathBuf>,
    #[arg(long)]
    pub junit: Option<PathBuf>,
    /// A summary for a pull request.
    #[arg(long)]
    pub markdown: Option<PathBuf>,
    /// All of them into this folder.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Live figures in Prometheus' form at this address, `:9464`.
    #[arg(long)]
    pub prom: Option<String>,
    /// The live dashboard; `auto` shows it on a terminal and plain lines elsewhere.
    #[arg(long, value_enum, default_value_t = Tui::Auto)]
    pub tui: Tui,
    /// An earlier report to compare with.
    #[arg(long)]
    pub baseline: Option<PathBuf>,
    /// Exit 8 when it got worse than the baseline.
    #[arg(long, requires = "baseline")]
    pub fail_on_regression: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Tui {
    #[default]
    Auto,
    On,
    Off,
}
