//! Settings of sockets and calls: the limits of `chat` and `signaling`, each a key of the file. Their defaults are said there.

use chat::limits::HubLimits;
use serde::Deserialize;
use signaling::service::Limits as CallLimits;
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

/// Limits of calls: a burst, then one more in each period.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Calls {
    /// Of one person.
    pub invites_burst: NonZeroU32,
    pub invite_period_ms: NonZeroU32,
    /// Of one side of a call, as the next ones: descriptions and candidates.
    pub signals_burst: NonZeroU32,
    pub signal_period_ms: NonZeroU32,
    /// Reports, attaches, new credentials and everything else that is no signal.
    pub others_burst: NonZeroU32,
    pub other_period_ms: NonZeroU32,
    /// Commands that may wait for one call.
    pub inbox_max: NonZeroU32,
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
            sockets_per_user_max: size(self.sockets_per_user_max),
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
            queue_bytes_max: size(self.queue_bytes_max),
            urgent_bytes_max: size(self.urgent_bytes_max),
            sends_in_flight_max: size(self.sends_in_flight_max),
            hello_timeout_ms: self.hello_timeout_ms.get(),
            heartbeat_ms: self.heartbeat_ms.get(),
            no_progress_ms: self.no_progress_ms.get(),
            sweep_ms: self.sweep_ms.get(),
        }
    }
}

impl Calls {
    pub fn limits(&self) -> CallLimits {
        CallLimits {
            invites_burst: self.invites_burst.get(),
            invite_period_ms: self.invite_period_ms.get(),
            signals_burst: self.signals_burst.get(),
            signal_period_ms: self.signal_period_ms.get(),
            others_burst: self.others_burst.get(),
            other_period_ms: self.other_period_ms.get(),
            inbox_max: size(self.inbox_max),
            ..CallLimits::default()
        }
    }
}

impl Default for Socket {
    fn default() -> Self {
        let limits = HubLimits::default();
        Self {
            origins: Vec::new(),
            sockets_per_user_max: of_size(limits.sockets_per_user_max),
            unauthenticated_per_ip_max: limit(limits.unauthenticated_per_ip_max),
            accepts_per_s: limit(limits.accepts_per_s),
            accepts_burst: limit(limits.accepts_burst),
            commands_per_s: limit(limits.commands_per_s),
            commands_burst: limit(limits.commands_burst),
            sends_per_s: limit(limits.sends_per_s),
            sends_burst: limit(limits.sends_burst),
            bytes_per_s: limit(limits.bytes_per_s),
            bytes_burst: limit(limits.bytes_burst),
            refusals_per_s: limit(limits.refusals_per_s),
            refusals_burst: limit(limits.refusals_burst),
            queue_bytes_max: of_size(limits.queue_bytes_max),
            urgent_bytes_max: of_size(limits.urgent_bytes_max),
            sends_in_flight_max: of_size(limits.sends_in_flight_max),
            hello_timeout_ms: limit(limits.hello_timeout_ms),
            heartbeat_ms: limit(limits.heartbeat_ms),
            no_progress_ms: limit(limits.no_progress_ms),
            sweep_ms: limit(limits.sweep_ms),
        }
    }
}

impl Default for Calls {
    fn default() -> Self {
        let limits = CallLimits::default();
        Self {
            invites_burst: limit(limits.invites_burst),
            invite_period_ms: limit(limits.invite_period_ms),
            signals_burst: limit(limits.signals_burst),
            signal_period_ms: limit(limits.signal_period_ms),
            others_burst: limit(limits.others_burst),
            other_period_ms: limit(limits.other_period_ms),
            inbox_max: of_size(limits.inbox_max),
        }
    }
}

impl Default for Turn {
    fn default() -> Self {
        Self { urls: Vec::new(), stun_urls: Vec::new(), secret: None, lifetime_s: 600, relay_only: false }
    }
}

fn limit(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

fn of_size(number: usize) -> NonZeroU32 {
    limit(u32::try_from(number).unwrap_or(u32::MAX))
}

fn size(number: NonZeroU32) -> usize {
    usize::try_from(number.get()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No key is forgotten or crossed with its neighbour: each one, set alone, moves the limit of its own name and no other.
    #[test]
    fn every_limit_of_a_socket_is_a_key_of_its_own() {
        let plain = told(&Socket::default());
        assert_eq!(plain.len(), format!("{:?}", HubLimits::default()).matches(": ").count(), "a limit without a key");
        for (name, value) in &plain {
            let changed = value + 1;
            let socket: Socket = toml::from_str(&format!("{name} = {changed}")).unwrap();
            let mut expected = plain.clone();
            expected.iter_mut().filter(|(other, _)| other == name).for_each(|(_, value)| *value = changed);
            assert_eq!(told(&socket), expected);
        }
    }

    fn told(socket: &Socket) -> Vec<(String, u64)> {
        let limits = format!("{:?}", socket.limits());
        let inner = limits.trim_start_matches("HubLimits { ").trim_end_matches(" }");
        let pair = |field: &str| field.split_once(": ").map(|(name, value)| (name.to_owned(), value.parse().unwrap()));
        inner.split(", ").filter_map(pair).collect()
    }

    #[test]
    fn nothing_and_the_unknown_are_refused() {
        assert!(toml::from_str::<Socket>("sweep_ms = 0").is_err());
        assert!(toml::from_str::<Socket>("sends_per_ms = 1").is_err());
        assert!(toml::from_str::<Calls>("inbox_max = 0").is_err());
        let calls: Calls = toml::from_str("invites_burst = 11\ninbox_max = 12").unwrap();
        assert_eq!((calls.limits().invites_burst, calls.limits().inbox_max), (11, 12));
    }
}
