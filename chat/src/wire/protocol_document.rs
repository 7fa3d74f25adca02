//! Holds chat/PROTOCOL.md to what it describes: the schema's hash, both tables, and every example.

use crate::errors::{CloseCode, Code, Reconnect};
use crate::limits::{HubLimits, wire_limits};
use crate::wire::codec::{FrameRef, RECORD_BYTES_MAX, RECORDS_PER_FRAME_MAX, Subprotocol, decode_commands, decode_events};
use sha2::{Digest, Sha256};

const DOCUMENT: &str = include_str!("../../PROTOCOL.md");
const SCHEMA: [&str; 3] = [
    include_str!("../../proto/wenzhen/v1/entry.proto"),
    include_str!("../../proto/wenzhen/v1/call.proto"),
    include_str!("../../proto/wenzhen/v1/socket.proto"),
];

/// Contents of the fenced blocks with this label.
fn blocks(label: &str) -> Vec<&'static str> {
    let fence = format!("```{label}\n");
    DOCUMENT.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap_or(rest)).collect()
}

#[test]
fn the_document_describes_this_schema() {
    let hash: String = Sha256::digest(SCHEMA.concat()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(DOCUMENT.contains(&hash), "the schema changed: read PROTOCOL.md against it, then write down {hash}");
}

#[test]
fn every_error_and_close_code_has_its_row() {
    for code in Code::ALL {
        let temporary = if code.temporary() { "yes" } else { "no" };
        let row = format!("| `{}` | {temporary} | {} | {} |", code.as_str(), code.retry_after_ms(), code.message());
        assert!(DOCUMENT.lines().any(|line| line == row), "missing: {row}");
    }
    for code in CloseCode::ALL {
        let reconnect = match code.reconnect() {
            Reconnect::Yes => "yes",
            Reconnect::WithNewToken => "with a newer token",
            Reconnect::No => "no",
        };
        let row = format!("| {} | `{}` | {reconnect} | {} | {} |", code.number(), code.name(), code.within_ms(), code.meaning());
        assert!(DOCUMENT.lines().any(|line| line == row), "missing: {row}");
    }
    assert_eq!(DOCUMENT.lines().filter(|line| line.starts_with("| `")).count(), Code::ALL.len(), "rows of codes that are gone");
}

#[test]
fn every_example_is_in_the_form_it_teaches() {
    let (commands, events, frames) = (blocks("json"), blocks("json event"), blocks("hex"));
    assert!(commands.len() >= 6 && events.len() >= 8 && frames.len() >= 2);
    for command in &commands {
        let decoded = decode_commands(Subprotocol::Json, FrameRef::Text(command)).unwrap();
        assert!(decoded[0].kind.is_some(), "{command}");
    }
    for event in events {
        let decoded = decode_events(Subprotocol::Json, FrameRef::Text(event)).unwrap();
        assert!(decoded[0].kind.is_some(), "{event}");
    }
    let json: Vec<_> = commands.iter().flat_map(|command| decode_commands(Subprotocol::Json, FrameRef::Text(command)).unwrap()).collect();
    for frame in frames {
        let bytes: Vec<u8> = frame.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
        let decoded = decode_commands(Subprotocol::Proto, FrameRef::Binary(&bytes)).unwrap();
        assert!(json.contains(&decoded[0]), "the hex frame is one of the JSON commands: {decoded:?}");
    }
}

#[test]
fn the_numbers_of_the_limits_table_are_those_of_the_code() {
    let limits = HubLimits::default();
    for row in [
        format!("{} bytes, {RECORDS_PER_FRAME_MAX} records a frame", "65,536"),
        format!("| pull | {} entries, {} KiB |", wire_limits::PULL_ENTRIES_MAX, wire_limits::PAGE_BYTES_MAX / 1024),
        format!("| caption | {} characters |", wire_limits::CAPTION_CHARS_MAX),
        format!("| cursors, watched users | {} each |", wire_limits::CURSORS_MAX),
        format!("| {} a second, {} at once |", limits.commands_per_s, limits.commands_burst),
        format!("| {} a second, {} at once |", limits.sends_per_s, limits.sends_burst),
        format!("| {} KiB a second, {} KiB at once |", limits.bytes_per_s / 1024, limits.bytes_burst / 1024),
        format!("| {}; one more closes the oldest |", limits.sockets_per_user_max),
    ] {
        assert!(DOCUMENT.contains(&row), "{row}");
    }
    assert_eq!((RECORD_BYTES_MAX, wire_limits::TEXT_CHARS_MAX, wire_limits::WATCHED_USERS_MAX), (65_536, 4_000, 200));
}
