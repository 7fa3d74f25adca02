//! Settings of sockets and calls. The defaults are those of `chat::limits` and `signaling::service`, said here a second time so that
//! the file can be read alone; a test compares them.

use chat::limits::HubLimits;
use serde::Deserialize;
use std::num::NonZeroU32;

/// Every limit of a socket. None may be zero: that would let nobody do it at all.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Socket {
    /// Web pages of other hosts that may open a socket, as full origins. The same host always may.
    pub origins: Vec<String>,
    pub sockets_per_user_max: NonZeroU32,
    /// Upgraded sockets of one address (IPv4, or IPv6 /64) that have not said hello yet.
    pub unauthenticated_per_ip_max: NonZeroU32,
    /// Upgrades a second on this node.
    pub accepts_per_s: NonZeroU32,
    pub accepts_burst: NonZeroU32,
    /// Of one person, over all his sockets, as the next ones.
    pub commands_per_s: NonZeroU32,
    pub commands_burst: NonZeroU32,
    pub sends_per_s: NonZeroU32,
    pub sends_burst: NonZeroU32,
    pub bytes_per_s: NonZeroU32,
    pub bytes_burst: NonZeroU32,
    /// Refusals for exceeding the rates above; beyond it the socket closes (`abuse`).
    pub refusals_per_s: NonZeroU32,
    pub refusals_burst: NonZeroU32,
    /// Bytes waiting for one socket before it lags.
    pub queue_bytes_max: NonZeroU32,
    /// Bytes of urgent entries that pass a full queue.
    pub urgent_bytes_max: NonZeroU32,
    /// Sends of one socket that may be on their way to the disk at once.
    pub sends_in_flight_max: NonZeroU32,
    pub hello_timeout_ms: NonZeroU32,
    pub heartbeat_ms: NonZeroU32,
    pub no_progress_ms: NonZeroU32,
    /// How often deadlines are looked at: the precision of the three above and of token expiry.
    pub sweep_ms: NonZeroU32,
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

impl Socket {
    pub fn limits(&self) -> HubLimits {
        HubLimits {
            sockets_per_user_max: bytes(self.sockets_per_user_max),
            unauthenticated_per_ip_max: self.unauthenticated_per_ip_max.get(),
            accepts_per_s: self.accepts_per_s.get(),
            accepts_burst: self.accepts_burst.get(),
            commands_per_s: self.commands_per_s.get(),
            commands_burst: self.commands_burst.get(),
            sends_per_s: self.sends_per_s.get(),
            sends_burst: self.sends_burst.get(),
            bytes_per_s: self.bytes_per_s.get(),
            bytes_burst: self.bytes_burst.get(),
            refusals_per_s: self.refusals_per_s.get(),
            refusals_burst: self.refusals_burst.get(),
            queue_bytes_max: bytes(self.queue_bytes_max),
            urgent_bytes_max: bytes(self.urgent_bytes_max),
            sends_in_flight_max: bytes(self.sends_in_flight_max),
            hello_timeout_ms: self.hello_timeout_ms.get(),
            heartbeat_ms: self.heartbeat_ms.get(),
            no_progress_ms: self.no_progress_ms.get(),
            sweep_ms: self.sweep_ms.get(),
        }
    }
}
