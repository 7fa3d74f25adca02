//! One socket: TCP, the WebSocket handshake with the protobuf subprotocol, the first frame, and records in both directions.

use crate::people::Person;
use bytes::BytesMut;
use chat::wire::{Command, Event, Hello, Welcome, command, event};
use futures_util::{SinkExt, StreamExt};
use prost::Message as _;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

const OPEN_TIMEOUT: Duration = Duration::from_secs(30);

/// Where a socket failed to open: the classes of the exact accounting.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("no local port or file left: the generator's limit")]
    Generator(#[source] std::io::Error),
    #[error("connect")]
    Connect(#[source] std::io::Error),
    #[error("handshake")]
    Handshake(#[source] Box<tungstenite::Error>),
    #[error("refused: {0}")]
    Refused(String),
    #[error("nothing within 30 s")]
    Timeout,
}

impl OpenError {
    pub fn class(&self) -> &'static str {
        match self {
            Self::Generator(_) => "generator_limit",
            Self::Connect(_) => "connect",
            Self::Handshake(_) => "handshake",
            Self::Refused(_) => "refused",
            Self::Timeout => "timeout",
        }
    }
}

/// `http://host:port` taken apart. TLS ends at the proxy in front; the generator speaks to the node.
#[derive(Clone, Debug)]
pub struct Target {
    pub authority: String,
}

impl Target {
    pub fn parse(url: &str) -> Result<Self, String> {
        match url.trim_end_matches('/').strip_prefix("http://") {
            Some(authority) if !authority.is_empty() && !authority.contains('/') => Ok(Self { authority: authority.to_owned() }),
            _ => Err(format!("{url:?} is not a target; write http://127.0.0.1:8080 (plain HTTP: TLS is the proxy's)")),
        }
    }
}

#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    pending: BytesMut,
    pub welcome: Welcome,
}

impl Socket {
    pub async fn open(target: &Target, person: &Person, device: uuid::Uuid) -> Result<Self, OpenError> {
        tokio::time::timeout(OPEN_TIMEOUT, Self::open_unbounded(target, person, device)).await.map_err(|_| OpenError::Timeout)?
    }

    async fn open_unbounded(target: &Target, person: &Person, device: uuid::Uuid) -> Result<Self, OpenError> {
        let stream = TcpStream::connect(&target.authority).await.map_err(classify)?;
        stream.set_nodelay(true).map_err(classify)?;
        let mut request =
            format!("ws://{}/v1/socket", target.authority).into_client_request().map_err(|error| OpenError::Handshake(Box::new(error)))?;
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("wenzhen.v1.proto"));
        // Small buffers: tungstenite takes 128 KiB a socket by default.
        let config = WebSocketConfig::default().read_buffer_size(1024).write_buffer_size(0).max_message_size(Some(1 << 20));
        let (stream, _) =
            client_async_with_config(request, stream, Some(config)).await.map_err(|error| OpenError::Handshake(Box::new(error)))?;
        let mut socket = Self { stream, pending: BytesMut::new(), welcome: Welcome::default() };
        let hello = Hello {
            access_token: person.access_token.clone(),
            device: device.to_string(),
            client: concat!("loadtest/", env!("CARGO_PKG_VERSION")).into(),
        };
        socket.send(command::Kind::Hello(hello)).await.map_err(|error| OpenError::Handshake(Box::new(error)))?;
        match socket.next().await {
            Some(event::Kind::Welcome(welcome)) => socket.welcome = welcome,
            Some(event::Kind::Error(error)) => return Err(OpenError::Refused(error.code)),
            Some(_) => return Err(OpenError::Refused("no welcome".into())),
            None => return Err(OpenError::Refused("closed".into())),
        }
        Ok(socket)
    }

    pub async fn send(&mut self, kind: command::Kind) -> Result<(), tungstenite::Error> {
        let record = Command { kind: Some(kind) }.encode_length_delimited_to_vec();
        self.stream.send(Message::Binary(record.into())).await
    }

    /// The next event; none when the socket is closed or what came is not the protocol. Cancel-safe.
    pub async fn next(&mut self) -> Option<event::Kind> {
        loop {
            if !self.pending.is_empty() {
                let event = Event::decode_length_delimited(&mut self.pending).ok()?;
                match event.kind {
                    Some(kind) => return Some(kind),
                    None => continue, // a newer server's event
                }
            }
            match self.stream.next().await?.ok()? {
                Message::Binary(frame) => self.pending.extend_from_slice(&frame),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    pub async fn close(mut self) {
        // The server may be gone already; closing is a courtesy.
        let _ = self.stream.close(None).await;
    }
}

fn classify(error: std::io::Error) -> OpenError {
    // EADDRNOTAVAIL, EMFILE, ENFILE: this machine is out of ports or files.
    match error.raw_os_error() {
        Some(99 | 24 | 23) => OpenError::Generator(error),
        _ => OpenError::Connect(error),
    }
}

/// UUIDv7 with a random part from the schedule, so that the same seed sends the same bytes but for the moment.
pub fn message_id(nonce: &[u8; 10]) -> uuid::Uuid {
    uuid::Builder::from_unix_timestamp_millis(crate::clock::unix_ms(), nonce).into_uuid()
}
