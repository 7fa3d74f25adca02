//! The two framings of one schema. `wenzhen.v1.proto`: a binary frame is one or more records, each a varint length and that
//! many bytes. `wenzhen.v1.json`: a text frame is one record in the canonical proto3 JSON mapping.
//!
//! Never panics on any input, and an error never repeats what was sent: it may have been a token or somebody's words.

use super::{Command, Event};
use bytes::Bytes;
use prost::Message;
use serde::{Serialize, de::DeserializeOwned};

/// Longest record a client may send; a frame may not be longer either.
pub const RECORD_BYTES_MAX: usize = 64 * 1024;
/// Bounds the work one frame can ask for: 64 KiB of empty records would be 65,536 errors.
pub const RECORDS_PER_FRAME_MAX: usize = 64;

/// The WebSocket subprotocol, chosen once at the upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subprotocol {
    Proto,
    Json,
}

impl Subprotocol {
    pub const ALL: [Self; 2] = [Self::Proto, Self::Json];

    pub fn name(self) -> &'static str {
        match self {
            Self::Proto => "wenzhen.v1.proto",
            Self::Json => "wenzhen.v1.json",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|subprotocol| subprotocol.name() == name)
    }
}

/// Payload of one WebSocket frame, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub enum Frame {
    Binary(Bytes),
    Text(String),
}

impl Frame {
    pub fn len(&self) -> usize {
        match self {
            Self::Binary(bytes) => bytes.len(),
            Self::Text(text) => text.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn as_ref(&self) -> FrameRef<'_> {
        match self {
            Self::Binary(bytes) => FrameRef::Binary(bytes),
            Self::Text(text) => FrameRef::Text(text),
        }
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame(*** {} bytes)", self.len())
    }
}

/// Payload of one received frame.
#[derive(Clone, Copy)]
pub enum FrameRef<'a> {
    Binary(&'a [u8]),
    Text(&'a str),
}

impl std::fmt::Debug for FrameRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FrameRef(***)")
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("this subprotocol has only {0} frames")]
    WrongFrameKind(&'static str),
    #[error("record {index} of the frame is not in the binary form of the schema")]
    BadRecord { index: usize },
    #[error("not in the JSON form of the schema, at line {line} column {column}")]
    BadJson { line: usize, column: usize },
    #[error("a record is longer than {RECORD_BYTES_MAX} bytes")]
    TooLong,
    #[error("more than {RECORDS_PER_FRAME_MAX} records in one frame")]
    TooManyRecords,
}

pub fn encode_event(subprotocol: Subprotocol, event: &Event) -> Frame {
    encode(subprotocol, event)
}

pub fn encode_command(subprotocol: Subprotocol, command: &Command) -> Frame {
    encode(subprotocol, command)
}

pub fn decode_commands(subprotocol: Subprotocol, frame: FrameRef<'_>) -> Result<Vec<Command>, DecodeError> {
    if frame_len(frame) > RECORD_BYTES_MAX {
        return Err(DecodeError::TooLong);
    }
    decode(subprotocol, frame, RECORDS_PER_FRAME_MAX)
}

/// The client's side. Events have no limit of length or number: a page may be long.
pub fn decode_events(subprotocol: Subprotocol, frame: FrameRef<'_>) -> Result<Vec<Event>, DecodeError> {
    decode(subprotocol, frame, usize::MAX)
}

fn frame_len(frame: FrameRef<'_>) -> usize {
    match frame {
        FrameRef::Binary(bytes) => bytes.len(),
        FrameRef::Text(text) => text.len(),
    }
}

fn encode<M: Message + Serialize>(subprotocol: Subprotocol, message: &M) -> Frame {
    match subprotocol {
        Subprotocol::Proto => Frame::Binary(message.encode_length_delimited_to_vec().into()),
        Subprotocol::Json => Frame::Text(serde_json::to_string(message).expect("generated types have string keys and no failing field")),
    }
}

fn decode<M: Message + Default + DeserializeOwned>(
    subprotocol: Subprotocol,
    frame: FrameRef<'_>,
    records_max: usize,
) -> Result<Vec<M>, DecodeError> {
    match (subprotocol, frame) {
        (Subprotocol::Proto, FrameRef::Binary(bytes)) => decode_records(bytes, records_max),
        (Subprotocol::Json, FrameRef::Text(text)) => serde_json::from_str(text)
            .map(|message| vec![message])
            .map_err(|error| DecodeError::BadJson { line: error.line(), column: error.column() }),
        (Subprotocol::Proto, FrameRef::Text(_)) => Err(DecodeError::WrongFrameKind("binary")),
        (Subprotocol::Json, FrameRef::Binary(_)) => Err(DecodeError::WrongFrameKind("text")),
    }
}

fn decode_records<M: Message + Default>(mut bytes: &[u8], records_max: usize) -> Result<Vec<M>, DecodeError> {
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        if messages.len() == records_max {
            return Err(DecodeError::TooManyRecords);
        }
        let message = M::decode_length_delimited(&mut bytes).map_err(|_| DecodeError::BadRecord { index: messages.len() })?;
        messages.push(message);
    }
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Body, Ping, Pull, Send, Text, body, command};
    use proptest::prelude::*;

    fn hello_world() -> Command {
        Send {
            conversation: "0190a5c8-7c1e-7b3a-9f0e-2f4b8d1c6a55".into(),
            id: "0190a5c8-7c1e-7b3a-9f0e-2f4b8d1c6a56".into(),
            body: Some(Body { kind: Some(body::Kind::Text(Text { text: "头疼\u{202e}".into(), reply_to_seq: 0 })) }),
        }
        .into()
    }

    #[test]
    fn both_framings_carry_a_command_there_and_back() {
        for subprotocol in Subprotocol::ALL {
            let frame = encode_command(subprotocol, &hello_world());
            assert_eq!(decode_commands(subprotocol, frame.as_ref()), Ok(vec![hello_world()]));
        }
    }

    #[test]
    fn a_binary_frame_may_hold_several_records() {
        let mut bytes = Vec::new();
        for nonce in 0..3 {
            let Frame::Binary(record) = encode_command(Subprotocol::Proto, &Ping { nonce }.into()) else { unreachable!() };
            bytes.extend_from_slice(&record);
        }
        let commands = decode_commands(Subprotocol::Proto, FrameRef::Binary(&bytes)).unwrap();
        assert_eq!(commands.len(), 3);
        assert_eq!(commands[2].kind, Some(command::Kind::Ping(Ping { nonce: 2 })));
    }

    #[test]
    fn the_kind_of_frame_must_fit_the_subprotocol() {
        assert_eq!(decode_commands(Subprotocol::Proto, FrameRef::Text("{}")), Err(DecodeError::WrongFrameKind("binary")));
        assert_eq!(decode_commands(Subprotocol::Json, FrameRef::Binary(b"{}")), Err(DecodeError::WrongFrameKind("text")));
    }

    #[test]
    fn a_frame_of_empty_records_is_refused_as_a_whole() {
        let bytes = vec![0; RECORDS_PER_FRAME_MAX + 1];
        assert_eq!(decode_commands(Subprotocol::Proto, FrameRef::Binary(&bytes)), Err(DecodeError::TooManyRecords));
        assert_eq!(decode_commands(Subprotocol::Proto, FrameRef::Binary(&bytes[1..])).unwrap().len(), RECORDS_PER_FRAME_MAX);
    }

    #[test]
    fn a_frame_over_the_limit_is_refused_before_it_is_parsed() {
        let text = format!("{{\"ping\":{{}},\"later\":\"{}\"}}", "x".repeat(RECORD_BYTES_MAX));
        assert_eq!(decode_commands(Subprotocol::Json, FrameRef::Text(&text)), Err(DecodeError::TooLong));
    }

    #[test]
    fn fields_of_a_later_version_are_ignored() {
        let commands = decode_commands(Subprotocol::Json, FrameRef::Text(r#"{"ping":{"nonce":"7","mood":[1,{}]},"x":null}"#)).unwrap();
        assert_eq!(commands[0].kind, Some(command::Kind::Ping(Ping { nonce: 7 })));
    }

    #[test]
    fn large_numbers_are_strings_in_json() {
        let pull = Pull { from_seq: u64::MAX, ..Default::default() };
        let Frame::Text(text) = encode_command(Subprotocol::Json, &pull.into()) else { unreachable!() };
        assert_eq!(text, r#"{"pull":{"fromSeq":"18446744073709551615"}}"#);
    }

    #[test]
    fn errors_do_not_repeat_what_was_sent() {
        let error = decode_commands(Subprotocol::Json, FrameRef::Text(r#"{"hello":{"accessToken":{"canary":1}}}"#)).unwrap_err();
        assert!(matches!(error, DecodeError::BadJson { line: 1, .. }));
        assert!(!format!("{error} {error:?}").contains("canary"));
    }

    #[test]
    fn nesting_ends_in_an_error_not_in_a_stack_overflow() {
        let text = format!("{{\"later\":{}", "[".repeat(60_000));
        assert!(decode_commands(Subprotocol::Json, FrameRef::Text(&text)).is_err());
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600), text in ".{0,300}") {
            for subprotocol in Subprotocol::ALL {
                let _ = decode_commands(subprotocol, FrameRef::Binary(&bytes));
                let _ = decode_events(subprotocol, FrameRef::Binary(&bytes));
                let _ = decode_commands(subprotocol, FrameRef::Text(&text));
                let _ = decode_events(subprotocol, FrameRef::Text(&text));
            }
        }

        #[test]
        fn damaged_records_never_panic(at in 0_usize..200, byte in any::<u8>(), cut in 0_usize..200) {
            let Frame::Binary(record) = encode_command(Subprotocol::Proto, &hello_world()) else { unreachable!() };
            let mut bytes = record.to_vec();
            let index = at % bytes.len();
            bytes[index] = byte;
            bytes.truncate(bytes.len() - cut % bytes.len());
            let _ = decode_commands(Subprotocol::Proto, FrameRef::Binary(&bytes));
        }
    }
}
