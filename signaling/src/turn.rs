//! TURN credentials in coturn's `use-auth-secret` form: username `expiry:token`, password base64(HMAC-SHA1(secret, username)).
//!
//! The token names a call's side opaquely, so that the relay's quotas and logs work without ever naming a person. Credentials live ten
//! minutes at most and are made anew with each ICE restart.

use crate::timing::TURN_LIFETIME_S_MAX;
use base64::{Engine, prelude::BASE64_STANDARD};
use chat::ids::Timestamp;
use chat::wire;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// Where media is relayed and how addresses are found.
#[derive(Clone)]
pub struct TurnConfig {
    /// `turn:relay.example:3478?transport=udp` and the like.
    pub turn_urls: Vec<String>,
    /// Need no credentials.
    pub stun_urls: Vec<String>,
    /// Shared with the relay (`static-auth-secret`).
    pub secret: String,
    /// At most 600.
    pub lifetime_s: i64,
    /// Media only through the relay, so that neither side learns the other's address.
    pub relay_only: bool,
}

impl std::fmt::Debug for TurnConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TurnConfig").field("turn_urls", &self.turn_urls).field("secret", &"***").finish_non_exhaustive()
    }
}

/// What a client puts into its `RTCPeerConnection`. Without a configuration: no servers, host candidates only.
pub fn ice(config: Option<&TurnConfig>, now: Timestamp, token: &str) -> wire::CallIce {
    let Some(config) = config else {
        return wire::CallIce { servers: Vec::new(), expires_at_ms: 0, relay_only: false };
    };
    let lifetime_s = config.lifetime_s.clamp(1, TURN_LIFETIME_S_MAX);
    let expires_at_s = now.0.div_euclid(1000).saturating_add(lifetime_s);
    let mut servers = Vec::new();
    if !config.stun_urls.is_empty() && !config.relay_only {
        servers.push(wire::IceServer { urls: config.stun_urls.clone(), username: String::new(), credential: String::new() });
    }
    if !config.turn_urls.is_empty() {
        let username = format!("{expires_at_s}:{token}");
        let credential = password(&config.secret, &username);
        servers.push(wire::IceServer { urls: config.turn_urls.clone(), username, credential });
    }
    wire::CallIce { servers, expires_at_ms: expires_at_s.saturating_mul(1000), relay_only: config.relay_only }
}

fn password(secret: &str, username: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(username.as_bytes());
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(lifetime_s: i64, relay_only: bool) -> TurnConfig {
        TurnConfig {
            turn_urls: vec!["turn:relay.test:3478".into()],
            stun_urls: vec!["stun:relay.test:3478".into()],
            secret: "north".into(),
            lifetime_s,
            relay_only,
        }
    }

    #[test]
    fn the_password_is_what_openssl_computes() {
        // printf 1700000600:abc | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(password("north", "1700000600:abc"), "cn17rOcIFYzHsN4D2xqDw8sMqrc=");
    }

    #[test]
    fn credentials_end_within_ten_minutes_and_name_nobody() {
        let ice = ice(Some(&config(86_400, false)), Timestamp(1_700_000_000_500), "abc");
        assert_eq!(ice.expires_at_ms, 1_700_000_600_000);
        assert_eq!(ice.servers[1].username, "1700000600:abc");
        assert!(ice.servers[0].username.is_empty(), "STUN needs no credentials");
    }

    #[test]
    fn relay_only_names_no_server_that_would_reveal_an_address() {
        let ice = ice(Some(&config(600, true)), Timestamp(0), "abc");
        assert!(ice.relay_only && ice.servers.len() == 1 && ice.servers[0].urls[0].starts_with("turn:"));
        assert!(!format!("{:?}", config(600, true)).contains("north"));
    }
}
