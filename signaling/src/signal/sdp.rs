//! Shape of a session description (RFC 8866, as JSEP writes it), line by line. Media negotiation itself is the browsers' business.
//!
//! Not a full parser on purpose: it refuses what could hurt the peer's parser or reveal what the policy hides, and passes the rest.

use super::{CandidatePolicy, SignalError, candidate};
use crate::timing::{SDP_BYTES_MAX, SDP_LINE_BYTES_MAX, SDP_LINES_MAX, SDP_SECTIONS_MAX};
use std::collections::HashSet;

/// The same description without the candidates the policy keeps back, with CRLF line ends.
pub(super) fn check(text: &str, policy: &CandidatePolicy) -> Result<String, SignalError> {
    if text.len() > SDP_BYTES_MAX {
        return Err(SignalError::TooLarge);
    }
    let mut seen = Seen::default();
    let mut out = String::with_capacity(text.len() + 64);
    for (number, line) in text.split_terminator('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if number >= SDP_LINES_MAX {
            return Err(SignalError::TooLarge);
        }
        let (kind, value) = split(line)?;
        if number == 0 && line != "v=0" {
            return Err(SignalError::NotSdp);
        }
        if seen.note(kind, value, policy)? {
            out.push_str(line);
            out.push_str("\r\n");
        }
    }
    seen.is_complete()?;
    Ok(out)
}

fn split(line: &str) -> Result<(u8, &str), SignalError> {
    let printable = !line.chars().any(char::is_control);
    match line.as_bytes() {
        [kind, b'=', ..] if kind.is_ascii_lowercase() && printable && line.len() <= SDP_LINE_BYTES_MAX => Ok((*kind, &line[2..])),
        _ => Err(SignalError::Line),
    }
}

#[derive(Default)]
struct Seen<'a> {
    origin: bool,
    timing: bool,
    fingerprint: bool,
    user_fragment: bool,
    password: bool,
    sections: usize,
    mids: HashSet<&'a str>,
}

impl<'a> Seen<'a> {
    /// False: the line is left out.
    fn note(&mut self, kind: u8, value: &'a str, policy: &CandidatePolicy) -> Result<bool, SignalError> {
        match kind {
            b'o' => self.origin = true,
            b't' => self.timing = true,
            b'm' => self.section(value)?,
            b'a' => return self.attribute(value, policy),
            b'v' | b's' | b'i' | b'u' | b'e' | b'p' | b'c' | b'b' | b'r' | b'z' | b'k' => {}
            _ => return Err(SignalError::Line),
        }
        Ok(true)
    }

    fn section(&mut self, value: &str) -> Result<(), SignalError> {
        self.sections += 1;
        let media = value.split(' ').next().unwrap_or_default();
        let known = matches!(media, "audio" | "video" | "application");
        if known && self.sections <= SDP_SECTIONS_MAX { Ok(()) } else { Err(SignalError::Sections) }
    }

    fn attribute(&mut self, value: &'a str, policy: &CandidatePolicy) -> Result<bool, SignalError> {
        let (name, rest) = value.split_once(':').unwrap_or((value, ""));
        match name {
            "candidate" => return candidate::allowed_line(value, policy),
            "fingerprint" => self.fingerprint |= is_fingerprint(rest),
            "ice-ufrag" => self.user_fragment |= (4..=256).contains(&rest.len()),
            "ice-pwd" => self.password |= (22..=256).contains(&rest.len()),
            "mid" if !self.mids.insert(rest) => return Err(SignalError::Sections),
            _ => {}
        }
        Ok(true)
    }

    fn is_complete(&self) -> Result<(), SignalError> {
        if !self.origin || !self.timing || self.sections == 0 {
            return Err(SignalError::NotSdp);
        }
        if !self.fingerprint || !self.user_fragment || !self.password {
            return Err(SignalError::Unprotected);
        }
        Ok(())
    }
}

/// `sha-256 AB:CD:…`; weaker hashes are not passed off as protection.
fn is_fingerprint(value: &str) -> bool {
    let Some((hash, digest)) = value.split_once(' ') else { return false };
    let bytes = match hash.to_ascii_lowercase().as_str() {
        "sha-256" => 32,
        "sha-384" => 48,
        "sha-512" => 64,
        _ => return false,
    };
    let hex = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    digest.split(':').count() == bytes && digest.split(':').all(hex)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn offer() -> String {
        let fingerprint = ["7B"; 32].join(":");
        [
            "v=0",
            "o=- 4611731400430051336 2 IN IP4 127.0.0.1",
            "s=-",
            "t=0 0",
            "a=group:BUNDLE 0 1",
            "m=audio 9 UDP/TLS/RTP/SAVPF 111",
            "c=IN IP4 0.0.0.0",
            "a=ice-ufrag:EsAw",
            "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1",
            &format!("a=fingerprint:sha-256 {fingerprint}"),
            "a=setup:actpass",
            "a=mid:0",
            "a=sendrecv",
            "a=rtpmap:111 opus/48000/2",
            "m=video 9 UDP/TLS/RTP/SAVPF 96",
            "a=mid:1",
            "",
        ]
        .join("\r\n")
    }

    fn checked(text: &str) -> Result<String, SignalError> {
        check(text, &CandidatePolicy::default())
    }

    #[test]
    fn a_browsers_offer_passes_unchanged_and_bare_newlines_are_mended() {
        assert_eq!(checked(&offer()), Ok(offer()));
        assert_eq!(checked(&offer().replace('\r', "")), Ok(offer()));
    }

    #[test]
    fn candidates_inside_are_filtered_like_those_that_trickle() {
        let hidden = "a=candidate:1 1 udp 1 0.0.0.0 1 typ host\r\n";
        let shown = "a=candidate:1 1 udp 1 10.0.0.1 1 typ host\r\n";
        assert_eq!(checked(&format!("{}{shown}{hidden}", offer())), Ok(format!("{}{shown}", offer())));
        assert_eq!(checked(&format!("{}a=candidate:nonsense\r\n", offer())), Err(SignalError::Candidate));
    }

    #[test]
    fn hostile_descriptions_are_refused() {
        let cases = [
            (String::new(), SignalError::NotSdp),
            ("<html>".into(), SignalError::Line),
            (offer().replace("v=0", "v=1"), SignalError::NotSdp),
            (offer().replace("a=mid:1", "a=mid:0"), SignalError::Sections),
            (offer().replace("m=video", "m=../../etc"), SignalError::Sections),
            (offer().replace("a=sendrecv", "a=send\u{0}recv"), SignalError::Line),
            (offer().replace("sha-256", "md5"), SignalError::Unprotected),
            (offer().replace("a=ice-pwd:", "a=ice-nothing:"), SignalError::Unprotected),
            (offer() + &"a=x\r\n".repeat(400), SignalError::TooLarge),
            (offer() + &"a=x\r\n".repeat(4000), SignalError::TooLarge),
            (offer() + &format!("a={}\r\n", "x".repeat(2000)), SignalError::Line),
            (offer() + &"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n".repeat(7), SignalError::Sections),
            (offer() + "\r\na=x", SignalError::Line),
        ];
        for (text, error) in cases {
            assert_eq!(checked(&text), Err(error), "{:.60}", text);
        }
    }

    proptest! {
        #[test]
        fn what_passes_is_lines_of_one_letter_and_small(cut in 0usize..700, with in "\\PC{0,40}|[\\x00-\\x7f]{0,40}") {
            let mut text = offer();
            let at = (0..=cut.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.insert_str(at, &with);
            if let Ok(passed) = checked(&text) {
                prop_assert!(passed.len() <= SDP_BYTES_MAX + SDP_LINES_MAX);
                prop_assert!(passed.split_terminator("\r\n").all(|line| line.as_bytes()[1] == b'=' && !line.contains(['\r', '\n'])));
            }
        }
    }
}
