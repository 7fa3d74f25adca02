//! The configuration: one TOML file, environment overrides, unknown keys refused. Every key stands in deploy/wenzhen.example.toml.

mod load;
mod socket;

pub use load::{ConfigError, load};
pub use socket::{Calls, Socket, Turn};

use crate::{consultations::Rules, db::DbConfig, payments::WechatPayConfig};
use serde::Deserialize;
use std::{net::SocketAddr, path::PathBuf};

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Loopback unless said otherwise.
    pub addr: SocketAddr,
    /// Where conversations, business data and attachments lie.
    pub data: PathBuf,
    /// Where keys lie: apart from the data, outside its backups.
    pub keys: PathBuf,
    /// Serve the web client from this folder instead of the one inside the binary.
    pub web_dir: Option<PathBuf>,
    /// Simulated outside parties and an example hospital.
    pub demo: bool,
    /// Makes the demo hospital the same every time.
    pub seed: u64,
    pub database: Database,
    pub accounts: Accounts,
    pub uploads: Uploads,
    pub socket: Socket,
    pub calls: Calls,
    pub turn: Turn,
    /// Promises, windows and quotas of consultations (D.13).
    pub consultations: Rules,
    /// The contract with WeChat Pay; absent = simulated in the demo, no online payment otherwise.
    pub wechat_pay: Option<WechatPayConfig>,
    pub log: Log,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// `postgres://…`; absent = SQLite under `data`.
    pub url: Option<String>,
}

/// DOMAIN defaults of sign-in (D.13).
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Accounts {
    pub sms_code_ttl_s: i64,
    pub sms_code_tries_max: i64,
    pub sms_resend_after_s: i64,
    pub sms_per_hour_max: i64,
    pub sms_per_day_max: i64,
    /// From one address, over all numbers.
    pub sms_per_peer_hour_max: i64,
    pub lockout_failures: i64,
    pub lockout_s: i64,
    pub access_token_ttl_s: i64,
    pub patient_session_days: i64,
    pub staff_idle_s: i64,
    pub staff_absolute_s: i64,
    /// Argon2id memory; time cost is 2, one lane.
    pub password_memory_kib: u32,
}

/// What one person may upload in 24 hours.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Uploads {
    pub files_per_day_max: i64,
    /// Of what is stored, after it was written anew.
    pub bytes_per_day_max: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `text` or `json`.
    pub format: LogFormat,
    /// As in `RUST_LOG`.
    pub filter: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Text,
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data: PathBuf::from("./data"),
            keys: PathBuf::from("./keys"),
            web_dir: None,
            demo: false,
            seed: 1,
            database: Database::default(),
            accounts: Accounts::default(),
            uploads: Uploads::default(),
            socket: Socket::default(),
            calls: Calls::default(),
            turn: Turn::default(),
            consultations: Rules::default(),
            wechat_pay: None,
            log: Log::default(),
        }
    }
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            sms_code_ttl_s: 5 * 60,
            sms_code_tries_max: 5,
            sms_resend_after_s: 60,
            sms_per_hour_max: 5,
            sms_per_day_max: 10,
            sms_per_peer_hour_max: 60,
            lockout_failures: 5,
            lockout_s: 15 * 60,
            access_token_ttl_s: 10 * 60,
            patient_session_days: 30,
            staff_idle_s: 30 * 60,
            staff_absolute_s: 8 * 60 * 60,
            password_memory_kib: 19_456,
        }
    }
}

impl Default for Uploads {
    fn default() -> Self {
        Self { files_per_day_max: 200, bytes_per_day_max: 300 * 1024 * 1024 }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info,sqlx=warn".into() }
    }
}

impl Config {
    pub fn db(&self) -> DbConfig {
        match &self.database.url {
            Some(url) => DbConfig::Postgres { url: url.clone() },
            None => DbConfig::Sqlite { file: self.data.join("business.sqlite") },
        }
    }
}
