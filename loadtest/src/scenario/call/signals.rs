//! What two browsers would signal, each piece unlike any other, and which of it is still on its way.

use crate::seed::Seeded;
use chat::wire::{CallSignal, IceCandidate, call_signal};
use std::collections::{HashMap, HashSet};

/// Pieces sent and not yet heard, by receiving side.
#[derive(Debug, Default)]
pub(super) struct Flying {
    departed: HashMap<(usize, Vec<u8>), u64>,
    arrived: HashSet<(usize, Vec<u8>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// When it departed.
    Intact(u64),
    Again,
    /// Nobody sent that to this side.
    Foreign,
}

impl Flying {
    pub(super) fn depart(&mut self, to: usize, signal: &CallSignal, now_micros: u64) {
        self.departed.insert((to, key(signal)), now_micros);
    }

    pub(super) fn arrive(&mut self, at: usize, signal: &CallSignal) -> Arrival {
        let key = (at, key(signal));
        match self.departed.remove(&key) {
            Some(departed) => {
                self.arrived.insert(key);
                Arrival::Intact(departed)
            }
            None if self.arrived.contains(&key) => Arrival::Again,
            None => Arrival::Foreign,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.departed.is_empty()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.departed.len()
    }
}

/// Every field of it, so that a changed one is found.
fn key(signal: &CallSignal) -> Vec<u8> {
    prost::Message::encode_to_vec(signal)
}

/// The size and shape of a browser's: one audio and one video section.
pub(super) fn description(dice: &mut Seeded, setup: &str) -> String {
    let digest = dice.bytes::<32>().map(|byte| format!("{byte:02X}")).join(":");
    let (session, fragment, password) = (dice.next_u64() >> 2, dice.next_u64(), dice.next_u64());
    let mut lines = vec![
        "v=0".to_owned(),
        format!("o=- {session} 2 IN IP4 127.0.0.1"),
        "s=-".into(),
        "t=0 0".into(),
        "a=group:BUNDLE 0 1".into(),
        format!("a=ice-ufrag:{fragment:016x}"),
        format!("a=ice-pwd:{password:024x}"),
        format!("a=fingerprint:sha-256 {digest}"),
        format!("a=setup:{setup}"),
    ];
    for (mid, (media, first_type)) in [("audio", 96), ("video", 107)].into_iter().enumerate() {
        let types: Vec<String> = (first_type..first_type + 11).map(|number| number.to_string()).collect();
        lines.push(format!("m={media} 9 UDP/TLS/RTP/SAVPF {}", types.join(" ")));
        lines.extend(["c=IN IP4 0.0.0.0".to_owned(), format!("a=mid:{mid}"), "a=sendrecv".into(), "a=rtcp-mux".into()]);
        for number in types {
            lines.push(format!("a=rtpmap:{number} {}/90000", if media == "audio" { "opus" } else { "VP8" }));
            lines.push(format!("a=rtcp-fb:{number} transport-cc"));
            lines.push(format!("a=fmtp:{number} level-asymmetry-allowed=1;packetization-mode=1"));
        }
    }
    lines.push(String::new());
    lines.join("\r\n")
}

/// `count` candidates and their end.
pub(super) fn candidates(dice: &mut Seeded, count: u32) -> Vec<CallSignal> {
    let fragment = format!("{:016x}", dice.next_u64());
    let one = |text: String| {
        let candidate = IceCandidate { candidate: text, sdp_mid: "0".into(), sdp_m_line_index: 0, username_fragment: fragment.clone() };
        CallSignal { kind: Some(call_signal::Kind::Candidate(candidate)) }
    };
    let mut all: Vec<CallSignal> = (0..count)
        .map(|number| {
            let (foundation, port) = (dice.next_u64() as u32, 1024 + dice.below(60_000));
            one(format!(
                "candidate:{foundation} 1 udp {} 10.{}.{}.7 {port} typ host",
                2_130_706_431 - number,
                dice.below(250),
                dice.below(250)
            ))
        })
        .collect();
    all.push(one(String::new()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arrives_is_what_departed_once_and_at_the_right_side() {
        let mut dice = Seeded::new(1, "signals");
        let offer = CallSignal { kind: Some(call_signal::Kind::OfferSdp(description(&mut dice, "actpass"))) };
        let all = candidates(&mut dice, 12);
        let mut flying = Flying::default();
        flying.depart(1, &offer, 5);
        all.iter().for_each(|signal| flying.depart(1, signal, 6));
        assert_eq!(flying.len(), 14, "no two are the same");
        assert_eq!(flying.arrive(0, &offer), Arrival::Foreign, "one's own signal came back");
        assert_eq!((flying.arrive(1, &offer), flying.arrive(1, &offer)), (Arrival::Intact(5), Arrival::Again));
        let mut changed = all[3].clone();
        if let Some(call_signal::Kind::Candidate(candidate)) = &mut changed.kind {
            candidate.sdp_mid = "1".into();
        }
        assert_eq!(flying.arrive(1, &changed), Arrival::Foreign);
        all.iter().for_each(|signal| assert_eq!(flying.arrive(1, signal), Arrival::Intact(6)));
        assert!(flying.is_empty());
    }

    #[test]
    fn a_description_has_a_browsers_size_and_keeps_the_servers_limits() {
        let text = description(&mut Seeded::new(1, "signals"), "actpass");
        assert!((2_000..16_384).contains(&text.len()), "{}", text.len());
        assert!(text.ends_with("\r\n") && text.lines().count() < 400 && text.lines().all(|line| line.as_bytes()[1] == b'='));
    }
}
