//! A net of source addresses, `127.16.0.0/12`. On loopback every address of 127.0.0.0/8 is there without being configured;
//! elsewhere the addresses have to be on an interface. IPv4 only.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceNet {
    first: u32,
    prefix: u8,
}

impl SourceNet {
    /// Addresses that can be bound: without the net's own and its broadcast address.
    pub fn hosts(&self) -> u64 {
        let all = 1_u64 << (32 - self.prefix);
        if self.prefix >= 31 { all } else { all - 2 }
    }

    pub fn host(&self, index: u64) -> Option<Ipv4Addr> {
        let skipped = u64::from(self.prefix < 31);
        let offset = u32::try_from(index + skipped).ok()?;
        (index < self.hosts()).then(|| Ipv4Addr::from(self.first + offset))
    }

    pub fn is_loopback(&self) -> bool {
        Ipv4Addr::from(self.first).is_loopback()
    }
}

impl FromStr for SourceNet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a net of IPv4 addresses; write 127.16.0.0/12");
        let (address, prefix) = text.split_once('/').unwrap_or((text, "32"));
        let address: Ipv4Addr = address.parse().map_err(|_| wrong())?;
        let prefix: u8 = prefix.parse().map_err(|_| wrong())?;
        if !(8..=32).contains(&prefix) {
            return Err(wrong());
        }
        let mask = u32::MAX << (32 - prefix);
        Ok(Self { first: u32::from(address) & mask, prefix })
    }
}

impl fmt::Display for SourceNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.first), self.prefix)
    }
}
