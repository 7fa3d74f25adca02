//! One socket of the selftest server: handshake, hello, then commands in and events out in one task, with the TCP stream within reach
//! for the lies that TCP can tell.

use super::http::Shared;
use super::world::{Out, TOKEN_LIFE_MS, now_ms};
use crate::clock::Clock;
use bytes::{BufMut, BytesMut};
use chat::errors::CloseCode;
use chat::wire::codec::{self, FrameRef, Subprotocol};
use chat::wire::{Command, Event, Welcome, command};
use futures_util::{SinkExt, StreamExt};
use hdrhistogram::Histogram;
use prost::Message as _;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode as Number};
use tokio_tungstenite::tungstenite::{Error, Message};

const HEARTBEAT_MS: u32 = 20_000;

/// How long each acknowledgement was kept, as the server knows it.
pub type Truth = Arc<Mutex<Histogram<u64>>>;

struct Talk {
    stream: WebSocketStream<TcpStream>,
    shared: Shared,
    clock: Clock,
    truth: Truth,
    line: u64,
    /// Commands that came while nothing is carried out.
    waiting: Vec<(Command, u64)>,
}

pub async fn serve(stream: TcpStream, shared: Shared, truth: Truth) {
    #[allow(clippy::result_large_err)] // the library's own signature
    let chosen = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
        let offered = request.headers().get("sec-websocket-protocol").and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !offered.split(',').any(|name| name.trim() == Subprotocol::Proto.name()) {
            let mut refused = ErrorResponse::new(None);
            *refused.status_mut() = tokio_tungstenite::tungstenite::http::StatusCode::BAD_REQUEST;
            return Err(refused);
        }
        response.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("wenzhen.v1.proto"));
        Ok(response)
    };
    let Ok(mut stream) = tokio_tungstenite::accept_hdr_async(stream, chosen).await else { return };
    let mut first = match receive(&mut stream).await {
        Ok(commands) => commands.into_iter(),
        Err(code) => return close(&mut stream, code).await,
    };
    let hello = match first.next().and_then(|command| command.kind) {
        Some(command::Kind::Hello(hello)) => hello,
        _ => return close(&mut stream, CloseCode::HelloExpected).await,
    };
    let (out, outs) = mpsc::unbounded_channel();
    let (clock, line) = {
        let mut world = shared.world();
        let clock = world.clock;
        match world.by_token(&hello.access_token) {
            Some(person) => {
                let resident = &world.residents[person];
                let welcome = Welcome {
                    user: resident.user.clone(),
                    session: resident.session.clone(),
                    node: resident.session.clone(),
                    server_time_ms: now_ms(),
                    heartbeat_ms: HEARTBEAT_MS,
                    record_bytes_max: codec::RECORD_BYTES_MAX as u32,
                    token_expires_at_ms: now_ms() + TOKEN_LIFE_MS,
                };
                let line = world.register(person, hello.device, out);
                world.tell(line, welcome);
                (clock, Some(line))
            }
            None => (clock, None),
        }
    };
    let Some(line) = line else { return close(&mut stream, CloseCode::Unauthenticated).await };
    let mut talk = Talk { stream, shared: shared.clone(), clock, truth, line, waiting: Vec::new() };
    for command in first {
        talk.take(command);
    }
    talk.run(outs).await;
    shared.world().unregister(line);
}

async fn receive(stream: &mut WebSocketStream<TcpStream>) -> Result<Vec<Command>, CloseCode> {
    loop {
        match stream.next().await {
            Some(Ok(Message::Binary(frame))) => {
                return codec::decode_commands(Subprotocol::Proto, FrameRef::Binary(&frame)).map_err(|_| CloseCode::Malformed);
            }
            Some(Ok(Message::Text(_))) => return Err(CloseCode::Malformed),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(CloseCode::Normal),
            Some(Ok(_)) => {}
        }
    }
}

async fn close(stream: &mut WebSocketStream<TcpStream>, code: CloseCode) {
    let frame = CloseFrame { code: Number::from(code.number()), reason: code.reason(code.within_ms()).into() };
    // Whoever is gone needs no farewell.
    let _ = stream.close(Some(frame)).await;
}

impl Talk {
    async fn run(&mut self, mut outs: mpsc::UnboundedReceiver<Out>) {
        loop {
            let until = self.shared.world().stall.until;
            tokio::select! {
                out = outs.recv() => match out {
                    Some(out) => match self.say(out).await {
                        Ok(true) => {}
                        _ => return,
                    },
                    None => return,
                },
                commands = receive(&mut self.stream) => match commands {
                    Ok(commands) => commands.into_iter().for_each(|command| self.take(command)),
                    Err(code) => return close(&mut self.stream, code).await,
                },
                () = tokio::time::sleep_until(self.clock.at(until)), if !self.waiting.is_empty() => {
                    for (command, arrived_micros) in std::mem::take(&mut self.waiting) {
                        self.shared.world().command(self.line, command, arrived_micros);
                    }
                }
            }
        }
    }

    fn take(&mut self, command: Command) {
        let now = self.clock.micros();
        let mut world = self.shared.world();
        if world.stall.holds(now, matches!(command.kind, Some(command::Kind::Send(_)))) {
            self.waiting.push((command, now));
        } else {
            world.command(self.line, command, now);
        }
    }

    /// False when the socket is to end.
    async fn say(&mut self, out: Out) -> Result<bool, Error> {
        match out {
            Out::Event(event) => self.write(&event).await?,
            Out::Answer { event, arrived_micros } => {
                self.write(&event).await?;
                let kept = self.clock.micros().saturating_sub(arrived_micros);
                self.truth.lock().unwrap_or_else(PoisonError::into_inner).saturating_record(kept.max(1));
            }
            Out::Half { event, reset } => {
                let frame = frame(&event);
                let tcp = self.stream.get_mut();
                tcp.write_all(&frame[..frame.len() / 2]).await?;
                tcp.flush().await?;
                if reset {
                    socket2::SockRef::from(&*tcp).set_linger(Some(std::time::Duration::ZERO))?;
                }
                return Ok(false);
            }
            Out::Cut => return Ok(false),
        }
        Ok(true)
    }

    async fn write(&mut self, event: &Event) -> Result<(), Error> {
        self.stream.send(Message::Binary(event.encode_length_delimited_to_vec().into())).await
    }
}

/// An unmasked binary frame (RFC 6455, 5.2), as the library would write it.
fn frame(event: &Event) -> BytesMut {
    let payload = event.encode_length_delimited_to_vec();
    let mut frame = BytesMut::with_capacity(payload.len() + 4);
    frame.put_u8(0x82);
    match u8::try_from(payload.len()) {
        Ok(short) if short < 126 => frame.put_u8(short),
        _ => {
            frame.put_u8(126);
            frame.put_u16(u16::try_from(payload.len()).unwrap_or(u16::MAX));
        }
    }
    frame.extend_from_slice(&payload);
    frame
}
