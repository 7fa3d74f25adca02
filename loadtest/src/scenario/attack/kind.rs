//! The kinds of attack: what each sends, how the server has to refuse it (chat/PROTOCOL.md, section 11; RFC 6455; RFC 9110), and when.

use super::frame::{self, BINARY, CONTINUATION, FIN, PING, RSV1, TEXT};
use chat::wire::{Command, Hello, command};
use prost::Message as _;
use serde::Deserialize;
use std::time::Duration;

/// How the server ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Status(u16),
    Close(u16),
    /// Hung up without a word, which slow requests get.
    HungUp,
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal),+ $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Kind { $($(#[doc = $doc])+ $variant),+ }

        impl Kind {
            pub(super) const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

kinds! {
    /// The header of a request, one byte a second.
    Slowloris = "slowloris",
    /// A socket on which nobody says hello.
    NoHello = "no_hello",
    /// A request with a megabyte of headers.
    GiantHeaders = "giant_headers",
    /// What is no HTTP at all.
    Garbage = "garbage",
    /// A frame that announces more than a record may have.
    OversizedFrame = "oversized_frame",
    /// A signed-in person's commands, as fast as the line takes them.
    FrameFlood = "frame_flood",
    /// A message in fragments of one byte that never ends.
    Fragments = "fragments",
    /// A signed-in person's pings without end.
    Pings = "pings",
    /// Records that are none.
    Malformed = "malformed",
    /// A command before hello.
    NotHello = "not_hello",
    /// Compression that was not negotiated.
    Compressed = "compressed",
    /// An opcode that RFC 6455 reserves.
    Opcode = "opcode",
    /// A frame without its mask.
    Unmasked = "unmasked",
    /// Text that is not UTF-8.
    Utf8 = "utf8",
    /// A subprotocol that nobody speaks.
    Subprotocol = "subprotocol",
    /// A hello with a token that the server never made.
    ForgedHello = "forged_hello",
    /// A request with such a token.
    ForgedBearer = "forged_bearer",
}

/// What one does before it attacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// A bare connection.
    Connected,
    Upgraded(&'static str),
    /// Upgraded, and said hello as one of the hostile people.
    SignedIn,
}

/// What one sends, and how often again until the end.
#[derive(Debug)]
pub(super) struct Volley {
    pub first: Vec<u8>,
    pub again: Vec<u8>,
    pub every: Duration,
}

const PROTO: &str = "wenzhen.v1.proto";
const JSON: &str = "wenzhen.v1.json";
const FAST: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const FORGED: &str = "wz1.eyJ1c2VyIjoiMDE5MGE1YzgtN2MxZS03YjNhLTlmMGUtMmY0YjhkMWM2YTU1In0.c2lnbmF0dXJl";

impl Kind {
    pub(super) fn stand(self) -> Stand {
        match self {
            Self::Slowloris | Self::GiantHeaders | Self::Garbage | Self::ForgedBearer => Stand::Connected,
            Self::Subprotocol => Stand::Upgraded("soap.v1"),
            Self::Utf8 => Stand::Upgraded(JSON),
            Self::FrameFlood | Self::Pings => Stand::SignedIn,
            _ => Stand::Upgraded(PROTO),
        }
    }

    pub(super) fn refusals(self) -> &'static [Refusal] {
        use Refusal::{Close, HungUp, Status};
        match self {
            Self::Slowloris => &[Status(408), HungUp],
            Self::NoHello => &[Close(4001)],
            Self::GiantHeaders => &[Status(431), Status(400)],
            Self::Garbage => &[Status(400)],
            Self::OversizedFrame => &[Close(1009)],
            Self::FrameFlood | Self::Pings => &[Close(4009)],
            // Whichever of the two limits is met first.
            Self::Fragments => &[Close(1009), Close(4001)],
            Self::Malformed => &[Close(4005)],
            Self::NotHello => &[Close(4006)],
            Self::Compressed | Self::Opcode | Self::Unmasked => &[Close(1002)],
            Self::Utf8 => &[Close(1007)],
            Self::Subprotocol => &[Status(400)],
            Self::ForgedHello => &[Close(4002)],
            Self::ForgedBearer => &[Status(401)],
        }
    }

    /// The server's own time for it, and one for the way.
    pub(super) fn within(self) -> Duration {
        match self {
            Self::Slowloris | Self::FrameFlood | Self::Pings => Duration::from_secs(10),
            Self::NoHello | Self::Fragments => Duration::from_secs(8),
            _ => Duration::from_secs(5),
        }
    }

    pub(super) fn volley(self, authority: &str) -> Volley {
        let once = |first: Vec<u8>| Volley { first, again: Vec::new(), every: SECOND };
        let record = |kind: command::Kind| Command { kind: Some(kind) }.encode_length_delimited_to_vec();
        let ping = || record(command::Kind::Ping(chat::wire::Ping { nonce: 7 }));
        match self {
            Self::Slowloris => Volley { first: request(authority, ""), again: b"x".to_vec(), every: SECOND },
            Self::NoHello | Self::Subprotocol => once(Vec::new()),
            Self::GiantHeaders => once(request(authority, &format!("x-filler: {}\r\n\r\n", "a".repeat(1 << 20)))),
            Self::Garbage => once(b"\x16\x03\x01\x02\x00 none of yours\r\n\r\n".to_vec()),
            Self::OversizedFrame => once([frame::header(FIN | BINARY, 1 << 30, true), vec![0; 64]].concat()),
            Self::FrameFlood => Volley { first: Vec::new(), again: frame::masked(FIN | BINARY, &ping()).repeat(10), every: FAST },
            Self::Fragments => {
                Volley { first: frame::masked(BINARY, b"x"), again: frame::masked(CONTINUATION, b"x").repeat(20), every: FAST }
            }
            Self::Pings => Volley { first: Vec::new(), again: frame::masked(FIN | PING, b"").repeat(10), every: FAST },
            Self::Malformed => once(frame::masked(FIN | BINARY, b"\x07nothing of the schema")),
            Self::NotHello => once(frame::masked(FIN | BINARY, &ping())),
            Self::Compressed => once(frame::masked(FIN | RSV1 | BINARY, &ping())),
            Self::Opcode => once(frame::masked(FIN | 3, b"x")),
            Self::Unmasked => once(frame::unmasked(FIN | BINARY, &ping())),
            Self::Utf8 => once(frame::masked(FIN | TEXT, b"{\"hello\":\"\xc3\x28\"}")),
            Self::ForgedHello => once(frame::masked(FIN | BINARY, &hello(FORGED))),
            Self::ForgedBearer => once(request(authority, &format!("authorization: Bearer {FORGED}\r\n\r\n"))),
        }
    }
}

fn request(authority: &str, rest: &str) -> Vec<u8> {
    format!("GET /api/me HTTP/1.1\r\nhost: {authority}\r\n{rest}").into_bytes()
}

/// The record of a hello.
pub(super) fn hello(access_token: &str) -> Vec<u8> {
    let device = uuid::Uuid::from_u128(0x0190_a5c8_7c1e_7b3a_9f0e_2f4b_8d1c_6a55).to_string();
    let hello = Hello { access_token: access_token.into(), device, client: "attack".into() };
    Command { kind: Some(command::Kind::Hello(hello)) }.encode_length_delimited_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_that_reads_back_and_a_way_to_be_refused() {
        for kind in Kind::ALL {
            let read: Kind = serde_json::from_value(kind.name().into()).expect("its own name");
            assert_eq!(read, *kind);
            assert!(!kind.refusals().is_empty() && kind.within() >= Duration::from_secs(5));
            let sends = !kind.volley("here").first.is_empty() || !kind.volley("here").again.is_empty();
            assert!(sends || matches!(kind, Kind::NoHello | Kind::Subprotocol), "{kind:?}");
        }
    }
}
