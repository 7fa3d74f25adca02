//! Where an installation is.

use crate::machine::sources::Sources;
use std::net::{SocketAddr, ToSocketAddrs};

/// `http://host:port`, resolved once. TLS ends at the proxy in front; the generator speaks to the node.
#[derive(Clone, Debug)]
pub struct Target {
    pub authority: String,
    pub address: SocketAddr,
    /// Where this machine has to share out its ports over several source addresses.
    pub sources: Option<Sources>,
}

impl Target {
    pub fn parse(url: &str) -> Result<Self, String> {
        let authority = match url.trim_end_matches('/').strip_prefix("http://") {
            Some(authority) if !authority.is_empty() && !authority.contains('/') => authority.to_owned(),
            _ => return Err(format!("{url:?} is not a target; write http://127.0.0.1:8080 (plain HTTP: TLS is the proxy's)")),
        };
        let with_port = if authority.contains(':') { authority.clone() } else { format!("{authority}:80") };
        let address = with_port.to_socket_addrs().ok().and_then(|mut found| found.next());
        let address = address.ok_or_else(|| format!("{authority:?} has no address"))?;
        Ok(Self { authority, address, sources: None })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.authority)
    }
}
