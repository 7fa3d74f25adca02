//! Reads the file, lays `WENZHEN_*` variables over it (`WENZHEN_ACCOUNTS__LOCKOUT_S` = `[accounts] lockout_s`), decodes strictly.

use super::Config;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

const PREFIX: &str = "WENZHEN_";

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("reading {path}")]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// The message names line and column.
    #[error("{path}: {message}")]
    File { path: PathBuf, message: String },
    #[error("environment variable {name}: {message}")]
    Environment { name: String, message: String },
}

/// `variables` are given, not read here, so that tests say what they are.
pub fn load(file: Option<&Path>, variables: impl Iterator<Item = (String, String)>) -> Result<Config, ConfigError> {
    let mut table = match file {
        Some(path) => read(path)?,
        None => Table::new(),
    };
    for (name, value) in variables {
        // The test suite's own variables share the prefix.
        let Some(key) = name.strip_prefix(PREFIX).filter(|key| !key.starts_with("TEST_")) else { continue };
        set(&mut table, &key.to_lowercase(), &value);
        check(&table).map_err(|message| ConfigError::Environment { name: name.clone(), message })?;
    }
    check(&table).map_err(|message| ConfigError::File { path: file.map(Path::to_owned).unwrap_or_default(), message })
}

fn read(path: &Path) -> Result<Table, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    let refuse = |message: String| ConfigError::File { path: path.to_owned(), message };
    // Decoded from the text first: only then does the error know its line.
    toml::from_str::<Config>(&text).map_err(|error| refuse(error.to_string()))?;
    text.parse::<Table>().map_err(|error| refuse(error.to_string()))
}

fn set(table: &mut Table, key: &str, text: &str) {
    match key.split_once("__") {
        Some((section, rest)) => {
            let inner = table.entry(section.to_owned()).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                set(inner, rest, text);
            }
        }
        None => {
            // A number or a boolean when it reads as one, else a text.
            let value = format!("v = {text}").parse::<Table>().ok().and_then(|mut parsed| parsed.remove("v"));
            let value = value.filter(|value| value.is_integer() || value.is_bool());
            table.insert(key.to_owned(), value.unwrap_or_else(|| Value::String(text.to_owned())));
        }
    }
}

fn check(table: &Table) -> Result<Config, String> {
    Value::Table(table.clone()).try_into().map_err(|error: toml::de::Error| error.message().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>().into_iter()
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wenzhen.toml");
        std::fs::write(&path, "demo = true\n\n[accounts]\nlockout = 3\n").unwrap();
        let error = load(Some(&path), variables(&[])).unwrap_err().to_string();
        assert!(error.contains("line 4") && error.contains("lockout"), "{error}");
    }

    #[test]
    fn the_environment_lies_over_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wenzhen.toml");
        std::fs::write(&path, "demo = true\n[accounts]\nlockout_s = 60\n").unwrap();
        let config =
            load(Some(&path), variables(&[("WENZHEN_ACCOUNTS__LOCKOUT_S", "5"), ("WENZHEN_DATA", "/x"), ("PATH", "/bin")])).unwrap();
        assert_eq!((config.demo, config.accounts.lockout_s, config.data), (true, 5, PathBuf::from("/x")));
        let error = load(None, variables(&[("WENZHEN_NONSENSE", "1")])).unwrap_err().to_string();
        assert!(error.contains("WENZHEN_NONSENSE"), "{error}");
    }

    /// The load harness comes from one address: what protects addresses from each other has to be out of its way.
    #[test]
    fn the_settings_of_the_load_harness_can_be_read() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/bench/load.toml");
        let load = load(Some(&path), variables(&[])).unwrap();
        assert!(load.socket.unauthenticated_per_ip_max > Config::default().socket.unauthenticated_per_ip_max);
        assert!(load.accounts.sms_per_peer_hour_max > Config::default().accounts.sms_per_peer_hour_max);
    }

    #[test]
    fn the_documented_example_is_the_default() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/wenzhen.example.toml");
        let example = load(Some(&path), variables(&[])).unwrap();
        assert_eq!(format!("{example:?}"), format!("{:?}", Config::default()));
    }
}
