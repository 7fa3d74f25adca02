//! Logs go to stderr, as text or as JSON lines. Never a name, phone, token or message: the types that hold them print `***`.

use crate::config::{Log, LogFormat};
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, fmt};

/// Once per process; a second call changes nothing.
pub fn start(settings: &Log) {
    let filter = EnvFilter::try_new(&settings.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let base = fmt().with_env_filter(filter).with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr);
    let _ = match settings.format {
        LogFormat::Text => base.try_init(),
        LogFormat::Json => base.json().try_init(),
    };
}
