//! The door: how many may come in a second, and how many of one address may stand there without having said who they are.
//!
//! Refused before the upgrade, so that a storm costs one HTTP answer each. IPv6 counts by /64, which is what one household gets.

use crate::ids::Timestamp;
use crate::limits::{HubLimits, TokenBucket};
use dashmap::DashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

#[derive(Debug)]
pub(crate) struct Admission {
    accepts: Mutex<TokenBucket>,
    visitors: Arc<DashMap<u64, u32>>,
    per_address_max: u32,
}

/// Somebody between upgrade and hello. Dropping it frees his place.
#[derive(Debug)]
pub(crate) struct Visitor {
    address: u64,
    visitors: Arc<DashMap<u64, u32>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Too many of this address.
    Address,
    /// Too many at all; milliseconds until the next may come.
    Storm(u32),
}

impl Admission {
    pub fn new(limits: &HubLimits, now: Timestamp) -> Self {
        Self {
            accepts: Mutex::new(TokenBucket::full(limits.accepts_per_s, limits.accepts_burst, now)),
            visitors: Arc::default(),
            per_address_max: limits.unauthenticated_per_ip_max,
        }
    }

    pub fn admit(&self, peer: IpAddr, now: Timestamp) -> Result<Visitor, Refused> {
        let address = address_key(peer);
        {
            let mut count = self.visitors.entry(address).or_insert(0);
            if *count >= self.per_address_max {
                return Err(Refused::Address);
            }
            *count += 1;
        }
        let visitor = Visitor { address, visitors: self.visitors.clone() };
        let mut accepts = self.accepts.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        accepts.take(1, now).map_err(Refused::Storm)?;
        Ok(visitor)
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        self.visitors.remove_if_mut(&self.address, |_, count| {
            *count = count.saturating_sub(1);
            *count == 0
        });
    }
}

/// An IPv4 address written as IPv6 is the same address.
fn address_key(peer: IpAddr) -> u64 {
    match peer.to_canonical() {
        IpAddr::V4(v4) => u64::from(v4.to_bits()),
        IpAddr::V6(v6) => u64::try_from(v6.to_bits() >> 64).unwrap_or(u64::MAX) | 1 << 63,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(accepts_burst: u32, per_address: u32) -> Admission {
        let limits = HubLimits { accepts_per_s: 10, accepts_burst, unauthenticated_per_ip_max: per_address, ..Default::default() };
        Admission::new(&limits, Timestamp(0))
    }

    #[test]
    fn an_address_holds_only_so_many_places_and_gets_them_back() {
        let door = admission(100, 2);
        let peer: IpAddr = "2001:db8::1".parse().unwrap();
        let same_household = "2001:db8::ffff".parse().unwrap();
        let first = door.admit(peer, Timestamp(0)).unwrap();
        let _second = door.admit(same_household, Timestamp(0)).unwrap();
        assert_eq!(door.admit(peer, Timestamp(0)).unwrap_err(), Refused::Address);
        assert!(door.admit("2001:db8:0:1::1".parse().unwrap(), Timestamp(0)).is_ok(), "the neighbours");
        drop(first);
        assert!(door.admit(peer, Timestamp(0)).is_ok());
    }

    #[test]
    fn an_ipv4_address_in_ipv6_clothes_is_the_same() {
        assert_eq!(address_key("::ffff:10.0.0.7".parse().unwrap()), address_key("10.0.0.7".parse().unwrap()));
        assert_ne!(address_key("::".parse().unwrap()), address_key("0.0.0.0".parse().unwrap()));
    }

    #[test]
    fn a_storm_is_let_in_at_its_rate_and_refused_ones_keep_no_place() {
        let door = admission(1, 10);
        let peer: IpAddr = "10.0.0.7".parse().unwrap();
        assert!(door.admit(peer, Timestamp(0)).is_ok());
        assert_eq!(door.admit(peer, Timestamp(0)).unwrap_err(), Refused::Storm(100));
        assert!(door.visitors.is_empty());
        assert!(door.admit(peer, Timestamp(100)).is_ok());
    }
}
