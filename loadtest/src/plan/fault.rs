//! Faults on the run's time line: `kill9@30s`, `pause@20s+5s`.

use super::Span;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::str::FromStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// SIGKILL, then started again on the same folders.
    Kill9,
    /// SIGTERM with its drain, then started again.
    Restart,
    /// SIGSTOP for `lasting`, then SIGCONT: an invisible pause.
    Pause,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    pub kind: FaultKind,
    /// After the first intended moment.
    pub at: Span,
    pub lasting: Span,
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a fault; write kill9@30s, restart@30s or pause@30s+5s");
        let (kind, when) = text.split_once('@').ok_or_else(wrong)?;
        let (at, lasting) = when.split_once('+').unwrap_or((when, "0s"));
        let kind = match kind {
            "kill9" => FaultKind::Kill9,
            "restart" => FaultKind::Restart,
            "pause" => FaultKind::Pause,
            _ => return Err(wrong()),
        };
        let fault = Self { kind, at: at.parse()?, lasting: lasting.parse()? };
        if (kind == FaultKind::Pause) == fault.lasting.0.is_zero() { Err(wrong()) } else { Ok(fault) }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind {
            FaultKind::Kill9 => write!(f, "kill9@{}", self.at),
            FaultKind::Restart => write!(f, "restart@{}", self.at),
            FaultKind::Pause => write!(f, "pause@{}+{}", self.at, self.lasting),
        }
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_reads_back_as_it_was_written() {
        for text in ["kill9@30s", "restart@500ms", "pause@20s+5s"] {
            assert_eq!(text.parse::<Fault>().map(|fault| fault.to_string()), Ok(text.to_owned()));
        }
        for wrong in ["kill9", "pause@3s", "kill9@3s+1s", "flood@1s"] {
            assert!(wrong.parse::<Fault>().is_err(), "{wrong}");
        }
    }
}
