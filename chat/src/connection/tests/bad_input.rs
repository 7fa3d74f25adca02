//! Frames and records that nobody should send: each ends in a close code or a typed error, and the node goes on.

use super::rig::{PATIENCE, Rig, rig, text_body};
use crate::entropy::Entropy;
use crate::errors::CloseCode;
use crate::ids::Role;
use crate::wire::codec::{Frame, FrameRef, Subprotocol, decode_commands, encode_command};
use crate::wire::{self, Body, Command, Cursor, Image, body};
use base64::Engine;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

/// An upgraded connection below any WebSocket library.
async fn raw(rig: &Rig) -> TcpStream {
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    let key = base64::engine::general_purpose::STANDARD.encode([3; 16]);
    let request = format!(
        "GET /v1/socket HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: {key}\r\nsec-websocket-protocol: wenzhen.v1.json\r\n\r\n",
        rig.address
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    stream
}

fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        0..=125 => frame.push(0x80 | payload.len() as u8),
        126..=65_535 => frame.extend([&[0x80 | 126][..], &(payload.len() as u16).to_be_bytes()].concat()),
        _ => frame.extend([&[0x80 | 127][..], &(payload.len() as u64).to_be_bytes()].concat()),
    }
    let mask = [1, 2, 3, 4];
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// Number in the close frame the server answers with.
async fn close_number(stream: &mut TcpStream) -> u16 {
    let read = async {
        loop {
            let head = [stream.read_u8().await.unwrap(), stream.read_u8().await.unwrap()];
            let len = match head[1] {
                126 => usize::from(stream.read_u16().await.unwrap()),
                len => usize::from(len),
            };
            let mut payload = vec![0; len];
            stream.read_exact(&mut payload).await.unwrap();
            if head[0] == 0x88 {
                return u16::from_be_bytes([payload[0], payload[1]]);
            }
        }
    };
    tokio::time::timeout(PATIENCE, read).await.expect("the server closes in time")
}

#[tokio::test]
async fn broken_frames_are_closed_with_the_code_of_rfc_6455() {
    let rig = rig().await;
    let person = rig.person(Role::Patient);
    let Frame::Text(hello) = encode_command(Subprotocol::Json, &rig.hello(&person).into()) else { unreachable!() };
    let hello = masked(0x81, hello.as_bytes());
    let unmasked = [&[0x81, 2][..], b"{}"].concat();
    let huge = [&[0x82, 0xFF][..], &u64::MAX.to_be_bytes(), &[0; 4]].concat();
    let negative_length = [&[0x82, 0xFF][..], &(1_u64 << 63).to_be_bytes(), &[0; 4]].concat();
    for (name, frame, code) in [
        ("RSV1", masked(0xC1, b"{}"), CloseCode::ProtocolError),
        ("RSV2", masked(0xA1, b"{}"), CloseCode::ProtocolError),
        ("RSV3", masked(0x91, b"{}"), CloseCode::ProtocolError),
        ("reserved data opcode", masked(0x83, b""), CloseCode::ProtocolError),
        ("reserved control opcode", masked(0x8B, b""), CloseCode::ProtocolError),
        ("unmasked", unmasked, CloseCode::ProtocolError),
        ("continuation of nothing", masked(0x80, b"x"), CloseCode::ProtocolError),
        ("fragmented ping", masked(0x09, b""), CloseCode::ProtocolError),
        ("long ping", masked(0x89, &[0; 126]), CloseCode::ProtocolError),
        ("text inside a fragmented text", [masked(0x01, b"{"), masked(0x81, b"}")].concat(), CloseCode::ProtocolError),
        ("not UTF-8", masked(0x81, &[0xFF, 0xFE]), CloseCode::InvalidPayload),
        ("lone surrogate", masked(0x81, b"\xED\xA0\x80"), CloseCode::InvalidPayload),
        ("oversize", masked(0x81, &vec![b' '; 65_537]), CloseCode::TooBig),
        ("oversize in fragments", [masked(0x01, &vec![b' '; 40_000]), masked(0x80, &vec![b' '; 40_000])].concat(), CloseCode::TooBig),
        ("length of 2^64", huge, CloseCode::TooBig),
        ("length of 2^63", negative_length, CloseCode::TooBig),
    ] {
        for before_hello in [true, false] {
            let mut stream = raw(&rig).await;
            let bytes = if before_hello { frame.clone() } else { [hello.clone(), frame.clone()].concat() };
            stream.write_all(&bytes).await.unwrap();
            assert_eq!(close_number(&mut stream).await, code.number(), "{name}, before hello: {before_hello}");
        }
    }
    rig.connect(&person, Subprotocol::Json).await.settle().await;
}

#[tokio::test]
async fn one_byte_fragments_are_one_message() {
    let rig = rig().await;
    let Frame::Text(hello) = encode_command(Subprotocol::Json, &rig.hello(&rig.person(Role::Patient)).into()) else { unreachable!() };
    let mut stream = raw(&rig).await;
    let (last, rest) = hello.as_bytes().split_last().unwrap();
    for (index, byte) in rest.iter().enumerate() {
        stream.write_all(&masked(if index == 0 { 0x01 } else { 0x00 }, &[*byte])).await.unwrap();
    }
    stream.write_all(&masked(0x80, &[*last])).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), 0x81, "the welcome");
}

#[tokio::test]
async fn records_that_are_not_of_the_schema_close_the_socket() {
    let rig = rig().await;
    let person = rig.person(Role::Patient);
    let Frame::Binary(record) = encode_command(Subprotocol::Proto, &rig.send(rig.entropy.id(rig.clock.now()), "x").into()) else {
        unreachable!()
    };
    for bytes in [&record[..record.len() - 1], &[0xFF; 11], &[5, 0x12], &[2, 0x1A, 0xFF], &[3, 0x0A, 0x01, 0x07], &[0; 65]] {
        let mut client = rig.connect(&person, Subprotocol::Proto).await;
        client.send_frame(Message::Binary(bytes.to_vec().into())).await;
        assert_eq!(client.closed().await.code, Some(CloseCode::Malformed), "{bytes:?}");
    }
    for (subprotocol, message) in [(Subprotocol::Proto, Message::text("{}")), (Subprotocol::Json, Message::Binary(record))] {
        let mut client = rig.connect(&person, subprotocol).await;
        client.send_frame(message).await;
        assert_eq!(client.closed().await.code, Some(CloseCode::Malformed));
    }
    let mut client = rig.connect(&person, Subprotocol::Json).await;
    for unknown in ["{}", r#"{"somethingNew":{"a":1}}"#] {
        client.send_text(unknown).await;
        assert_eq!(client.until_error().await.code, "unknown_command");
    }
}

/// Every command with every field filled.
fn corpus() -> Vec<Command> {
    let id = || "0190a5c8-7c1e-7b3a-9f0e-2f4b8d1c6a55".to_owned();
    let image = Image { attachment: id(), width_px: 1, height_px: 1, caption: "c".into() };
    let voice = wire::Voice { attachment: id(), duration_ms: 1 };
    let send = |kind| wire::Send { conversation: id(), id: id(), body: Some(Body { kind: Some(kind) }) };
    let call = |kind| wire::CallCommand { call: id(), kind: Some(kind) };
    vec![
        wire::Hello { access_token: "t".into(), device: id(), client: "c".into() }.into(),
        wire::Refresh { access_token: "t".into() }.into(),
        wire::Send { conversation: id(), id: id(), body: Some(text_body("x")) }.into(),
        send(body::Kind::Image(image)).into(),
        send(body::Kind::Voice(voice)).into(),
        send(body::Kind::Recall(wire::Recall { seq: 1 })).into(),
        send(body::Kind::Membership(wire::Membership { user: id(), role: 1, change: 1, visible_from: 1 })).into(),
        wire::Pull { conversation: id(), from_seq: 1, limit: 1, hash_prefix: vec![1; 8].into() }.into(),
        wire::MarkDelivered { conversation: id(), up_to_seq: 1 }.into(),
        wire::MarkRead { conversation: id(), up_to_seq: 1 }.into(),
        wire::SetTyping { conversation: id(), active: true }.into(),
        wire::WatchPresence { users: vec![id()] }.into(),
        wire::Resume { cursors: vec![Cursor { conversation: id(), seq: 1, hash_prefix: vec![1; 8].into() }] }.into(),
        wire::Ping { nonce: 1 }.into(),
        call(wire::call_command::Kind::Invite(wire::CallInvite { conversation: id(), media: 1 })).into(),
        call(wire::call_command::Kind::Reject(wire::CallReject { reason: "busy".into() })).into(),
        call(wire::call_command::Kind::Signal(wire::CallSignal { kind: Some(wire::call_signal::Kind::OfferSdp("v=0".into())) })).into(),
    ]
}

fn paths(value: &Value, at: &str, into: &mut Vec<String>) {
    into.push(at.to_owned());
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| paths(value, &format!("{at}/{name}"), into)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, value)| paths(value, &format!("{at}/{index}"), into)),
        _ => {}
    }
}

/// Type confusion on every field: refused while decoding, or answered by a command that survives it.
#[tokio::test]
async fn wrong_types_in_every_field_are_refused_or_harmless() {
    let rig = rig().await;
    let mut client = rig.connect(&rig.person(Role::Patient), Subprotocol::Json).await;
    let wrong = [
        json!(null),
        json!([]),
        json!({}),
        json!([[]]),
        json!({"$ne": null}),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!("x"),
        json!(""),
        json!("-1"),
        json!("99999999999999999999999"),
        json!("NaN"),
        json!("SENDER_ROLE_NOBODY"),
        json!("\u{0}\u{202e}"),
    ];
    let (mut refused, mut answered) = (0, 0);
    for command in corpus() {
        let Frame::Text(text) = encode_command(Subprotocol::Json, &command) else { unreachable!() };
        let whole: Value = serde_json::from_str(&text).unwrap();
        let mut fields = Vec::new();
        paths(&whole, "", &mut fields);
        for field in fields.iter().filter(|field| !field.is_empty()) {
            for value in &wrong {
                let mut changed = whole.clone();
                *changed.pointer_mut(field).unwrap() = value.clone();
                let text = changed.to_string();
                if decode_commands(Subprotocol::Json, FrameRef::Text(&text)).is_err() {
                    refused += 1;
                } else {
                    answered += 1;
                    client.send_text(&text).await;
                    if answered % 16 == 0 {
                        client.settle().await;
                    }
                }
            }
            let twice = text.replacen('{', &format!("{{{},", &text[1..text.len() - 1]), 1);
            assert!(decode_commands(Subprotocol::Json, FrameRef::Text(&twice)).is_err(), "a field twice: {field}");
        }
    }
    client.settle().await;
    assert!(refused > 400 && answered > 100, "{refused} {answered}");
    client.send_text(r#"{"ping":[]}"#).await;
    assert_eq!(client.closed().await.code, Some(CloseCode::Malformed));
}

/// Random bytes as records and as frames. The seed is printed.
#[tokio::test]
async fn noise_on_the_wire_never_stops_the_node() {
    let seed = Entropy::System.up_to(u64::MAX);
    println!("seed {seed}");
    let noise = Entropy::seeded(seed);
    let rig = rig().await;
    let person = rig.person(Role::Patient);
    for round in 0..60 {
        let bytes: [u8; 200] = noise.bytes();
        let len = usize::try_from(noise.up_to(200)).unwrap();
        if round % 2 == 0 {
            let mut client = rig.connect(&person, Subprotocol::Proto).await;
            client.send_frame(Message::Binary(bytes[..len].to_vec().into())).await;
        } else {
            raw(&rig).await.write_all(&bytes[..len]).await.unwrap();
        }
    }
    rig.connect(&person, Subprotocol::Proto).await.settle().await;
}
