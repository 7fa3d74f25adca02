//! The grammar of a candidate attribute (RFC 8839, section 5.1) and which addresses may reach the peer.

use super::SignalError;
use crate::timing::CANDIDATE_BYTES_MAX;
use chat::wire::IceCandidate;
use std::net::IpAddr;

/// Which candidates are passed on. Unspecified, multicast and broadcast addresses never are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CandidatePolicy {
    /// `….local` names, which hide a host's address and resolve only in its own network.
    pub mdns: bool,
    /// 127.0.0.0/8 and ::1: two browsers on one machine.
    pub loopback: bool,
    /// Only candidates of the relay: neither side learns the other's address.
    pub relay_only: bool,
}

impl Default for CandidatePolicy {
    /// A hospital's own network and one machine work; set `loopback` to false where people come from the Internet.
    fn default() -> Self {
        Self { mdns: true, loopback: true, relay_only: false }
    }
}

impl CandidatePolicy {
    fn allows(&self, parsed: &Parsed<'_>) -> bool {
        if self.relay_only && parsed.kind != "relay" {
            return false;
        }
        match parsed.address.parse::<IpAddr>() {
            Ok(address) => self.allows_address(address),
            Err(_) => self.mdns && is_mdns(parsed.address),
        }
    }

    fn allows_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical(); // ::ffff:0.0.0.0 is 0.0.0.0
        let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
        !address.is_unspecified() && !address.is_multicast() && !broadcast && (self.loopback || !address.is_loopback())
    }
}

/// Names other than mDNS would make the peer resolve whatever we were sent.
fn is_mdns(name: &str) -> bool {
    let label = name.strip_suffix(".local").unwrap_or_default();
    !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

struct Parsed<'a> {
    address: &'a str,
    kind: &'a str,
}

pub(super) fn check(candidate: IceCandidate, policy: &CandidatePolicy) -> Result<Option<IceCandidate>, SignalError> {
    if candidate.candidate.len() > CANDIDATE_BYTES_MAX {
        return Err(SignalError::TooLarge);
    }
    let short = |text: &str| text.len() <= 256 && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !short(&candidate.sdp_mid) || !short(&candidate.username_fragment) || candidate.sdp_m_line_index > 64 {
        return Err(SignalError::Candidate);
    }
    if candidate.candidate.is_empty() {
        return Ok(Some(candidate)); // end of candidates
    }
    let allowed = allowed_line(&candidate.candidate, policy)?;
    Ok(allowed.then_some(candidate))
}

/// The attribute's text, `candidate:…`, as it also stands behind `a=` in a session description.
pub(super) fn allowed_line(text: &str, policy: &CandidatePolicy) -> Result<bool, SignalError> {
    Ok(policy.allows(&parse(text).ok_or(SignalError::Candidate)?))
}

fn parse(text: &str) -> Option<Parsed<'_>> {
    if text.len() > CANDIDATE_BYTES_MAX || !text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return None;
    }
    let mut words = text.strip_prefix("candidate:")?.split(' ');
    let foundation = words.next().filter(|word| (1..=32).contains(&word.len()) && word.bytes().all(is_ice_char));
    foundation?;
    number(words.next()?, 256).filter(|component| *component > 0)?;
    words.next().filter(|transport| transport.eq_ignore_ascii_case("udp") || transport.eq_ignore_ascii_case("tcp"))?;
    number(words.next()?, u64::from(u32::MAX))?;
    let address = words.next().filter(|word| !word.is_empty() && word.len() <= 253)?;
    number(words.next()?, 65_535)?;
    words.next().filter(|word| *word == "typ")?;
    let kind = words.next().filter(|kind| matches!(*kind, "host" | "srflx" | "prflx" | "relay"))?;
    check_extensions(words)?;
    Some(Parsed { address, kind })
}

/// Pairs of name and value, the related address and port among them.
fn check_extensions<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<()> {
    while let Some(name) = words.next() {
        let value = words.next()?;
        let fits = match name {
            "raddr" => value.parse::<IpAddr>().is_ok() || is_mdns(value),
            "rport" => number(value, 65_535).is_some(),
            _ => !name.is_empty() && !value.is_empty(),
        };
        fits.then_some(())?;
    }
    Some(())
}

fn is_ice_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

fn number(word: &str, max: u64) -> Option<u64> {
    let digits = !word.is_empty() && word.len() <= 10 && word.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| word.parse().ok())?.filter(|value| *value <= max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(address: &str) -> String {
        format!(
            "candidate:842163049 1 udp 1677729535 {address} 46154 typ srflx raddr 0.0.0.0 rport 0 generation 0 ufrag EsAw network-cost 999"
        )
    }

    fn verdict(text: &str, policy: CandidatePolicy) -> Result<bool, SignalError> {
        allowed_line(text, &policy)
    }

    #[test]
    fn candidates_of_browsers_pass() {
        let open = CandidatePolicy::default();
        for text in [
            of("203.0.113.7"),
            of("2001:db8::1"),
            "candidate:1 1 UDP 2130706431 10.0.1.1 8998 typ host".into(),
            "candidate:2 1 tcp 1518280447 192.168.0.4 9 typ host tcptype active generation 0".into(),
            "candidate:0 1 UDP 2122252543 6d1c7a9e-04b9-4c1f-9d5f-5f3a2b1c0d9e.local 50765 typ host".into(),
        ] {
            assert_eq!(verdict(&text, open), Ok(true), "{text}");
        }
    }

    #[test]
    fn addresses_nobody_can_answer_at_are_kept_from_the_peer() {
        let strict = CandidatePolicy { mdns: false, loopback: false, relay_only: false };
        for address in
            ["0.0.0.0", "::", "::ffff:0.0.0.0", "224.0.0.1", "ff02::1", "255.255.255.255", "example.com", "127.0.0.1", "::1", "a.local"]
        {
            assert_eq!(verdict(&of(address), strict), Ok(false), "{address}");
        }
        assert_eq!(verdict(&of("example.com"), CandidatePolicy::default()), Ok(false), "only mDNS names, never names to resolve");
    }

    #[test]
    fn relay_only_passes_nothing_else() {
        let hidden = CandidatePolicy { relay_only: true, ..CandidatePolicy::default() };
        assert_eq!(verdict(&of("203.0.113.7"), hidden), Ok(false));
        assert_eq!(verdict("candidate:3 1 udp 41885439 198.51.100.9 3479 typ relay raddr 203.0.113.7 rport 4242", hidden), Ok(true));
    }

    #[test]
    fn what_is_not_a_candidate_is_refused() {
        for text in [
            "candidate:",
            "candidate:1 1 udp 1 10.0.0.1 1 typ",
            "candidate:1 0 udp 1 10.0.0.1 1 typ host",
            "candidate:1 1 sctp 1 10.0.0.1 1 typ host",
            "candidate:1 1 udp 99999999999 10.0.0.1 1 typ host",
            "candidate:1 1 udp 1 10.0.0.1 65536 typ host",
            "candidate:1 1 udp 1 10.0.0.1 1 typ guest",
            "candidate:1 1 udp 1 10.0.0.1 1 typ host raddr",
            "candidate:1 1 udp 1 10.0.0.1 1 typ host raddr evil.example",
            "candidate:1 1 udp 1 10.0.0.1 1 typ host\r\na=ice-lite",
            "a=candidate:1 1 udp 1 10.0.0.1 1 typ host",
            "candidate:1 1 udp 1  10.0.0.1 1 typ host",
        ] {
            assert_eq!(verdict(text, CandidatePolicy::default()), Err(SignalError::Candidate), "{text}");
        }
    }

    #[test]
    fn the_empty_candidate_ends_the_candidates() {
        let end = IceCandidate { sdp_mid: "0".into(), ..IceCandidate::default() };
        assert_eq!(check(end.clone(), &CandidatePolicy::default()), Ok(Some(end)));
        let long = IceCandidate { candidate: "c".repeat(513), ..IceCandidate::default() };
        assert_eq!(check(long, &CandidatePolicy::default()), Err(SignalError::TooLarge));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "candidate:.{0,80}|\\PC{0,80}") {
            let _ = verdict(&text, CandidatePolicy::default());
        }
    }
}
