//! Settings of sockets and calls.

use serde::Deserialize;

/// Rates of one person; bursts follow from them.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Socket {
    /// Web pages of other hosts that may open a socket, as full origins. The same host always may.
    pub origins: Vec<String>,
    /// Upgrades a second on this node.
    pub accepts_per_s: u32,
    pub commands_per_s: u32,
    pub sends_per_s: u32,
    pub bytes_per_s: u32,
}

/// Relay of calls (coturn's `use-auth-secret`). Without a secret calls connect where addresses reach each other.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Turn {
    pub urls: Vec<String>,
    pub stun_urls: Vec<String>,
    pub secret: Option<String>,
    /// At most 600.
    pub lifetime_s: i64,
    pub relay_only: bool,
}

impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let secret = self.secret.as_ref().map(|_| "***");
        f.debug_struct("Turn").field("urls", &self.urls).field("secret", &secret).finish_non_exhaustive()
    }
}

impl Default for Socket {
    fn default() -> Self {
        Self { origins: Vec::new(), accepts_per_s: 1_000, commands_per_s: 30, sends_per_s: 5, bytes_per_s: 64 * 1024 }
    }
}

impl Default for Turn {
    fn default() -> Self {
        Self { urls: Vec::new(), stun_urls: Vec::new(), secret: None, lifetime_s: 600, relay_only: false }
    }
}
