//! One socket: TCP, the WebSocket handshake with the protobuf subprotocol, the first frame, and records in both directions.

use super::Target;
use crate::machine::sources::{ConnectError, Lease};
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
const BROKEN_WITHIN_MS: u64 = 2_000;

/// Where a socket failed to open: the classes of the exact accounting.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("no local port or file left: the generator's limit")]
    Generator(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("connect: {0}")]
    Connect(#[source] std::io::Error),
    #[error("handshake: {0}")]
    Handshake(#[source] Box<tungstenite::Error>),
    #[error("refused: {0}")]
    Refused(String),
    #[error("closed instead of welcome: {}", .0.class())]
    Closed(Ended),
    #[error("nothing within {} s", OPEN_TIMEOUT.as_secs())]
    Timeout,
}

impl OpenError {
    pub fn class(&self) -> String {
        match self {
            Self::Generator(_) => "generator_limit".into(),
            Self::Connect(_) => "connect".into(),
            Self::Handshake(error) => match error.as_ref() {
                tungstenite::Error::Http(response) => format!("http_{}", response.status().as_u16()),
                _ => "handshake".into(),
            },
            Self::Refused(code) => format!("refused_{code}"),
            Self::Closed(ended) => format!("refused_{}", ended.class()),
            Self::Timeout => "timeout".into(),
        }
    }
}

impl OpenError {
    /// What to do now; none where the door stays shut.
    pub fn come_back(&self) -> Option<ComeBack> {
        match self {
            Self::Closed(ended) => ended.come_back(),
            Self::Handshake(error) => match error.as_ref() {
                tungstenite::Error::Http(response) => after_http(response.status().as_u16(), response.headers().get("retry-after")),
                _ => Some(ComeBack::default()),
            },
            _ => Some(ComeBack::default()),
        }
    }
}

fn after_http(status: u16, retry_after: Option<&HeaderValue>) -> Option<ComeBack> {
    let seconds = retry_after.and_then(|value| value.to_str().ok()?.parse::<u64>().ok()).unwrap_or(0);
    match status {
        400..=428 | 430..=499 => None,
        _ => Some(ComeBack { not_before_ms: seconds * 1000, ..ComeBack::default() }),
    }
}

/// How a socket ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The server's close code and the reconnect window its reason names.
    Closed { code: u16, within_ms: Option<u64> },
    /// Without a close frame.
    Broken,
    /// Bytes that are no record of the protocol, or a record cut off.
    Malformed,
}

impl Ended {
    pub fn class(&self) -> String {
        match self {
            Self::Closed { code, .. } => format!("closed_{code}"),
            Self::Broken => "connection_broken".into(),
            Self::Malformed => "malformed_record".into(),
        }
    }

    /// What the protocol document asks a client to do now; none where it says not to come back.
    pub fn come_back(&self) -> Option<ComeBack> {
        match self {
            Self::Closed { code: 1000 | 1002 | 1007 | 1009 | 4004..=4006 | 4010, .. } => None,
            Self::Closed { code, within_ms } => {
                let within_ms = within_ms.unwrap_or(BROKEN_WITHIN_MS);
                Some(ComeBack { not_before_ms: 0, within_ms, new_token: matches!(code, 4002 | 4003) })
            }
            Self::Broken | Self::Malformed => Some(ComeBack::default()),
        }
    }
}

/// How somebody whose socket was lost or refused comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComeBack {
    /// `Retry-After`.
    pub not_before_ms: u64,
    /// A random part of this on top.
    pub within_ms: u64,
    /// Refreshes his token first.
    pub new_token: bool,
}

impl Default for ComeBack {
    /// After a connection that just broke.
    fn default() -> Self {
        Self { not_before_ms: 0, within_ms: BROKEN_WITHIN_MS, new_token: false }
    }
}

#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    pending: BytesMut,
    pub welcome: Welcome,
    /// Gives the source port back with the socket.
    _lease: Option<Lease>,
}

impl Socket {
    pub async fn open(target: &Target, access_token: &str, device: uuid::Uuid) -> Result<Self, OpenError> {
        let opening = Self::open_unbounded(target, access_token, device);
        tokio::time::timeout(OPEN_TIMEOUT, opening).await.map_err(|_| OpenError::Timeout)?
    }

    async fn open_unbounded(target: &Target, access_token: &str, device: uuid::Uuid) -> Result<Self, OpenError> {
        let (stream, lease) = match &target.sources {
            Some(sources) => {
                let (stream, lease) = sources.connect(target.address).await.map_err(OpenError::from)?;
                (stream, Some(lease))
            }
            None => (TcpStream::connect(target.address).await.map_err(classify)?, None),
        };
        stream.set_nodelay(true).map_err(classify)?;
        let refused = |error| OpenError::Handshake(Box::new(error));
        let mut request = format!("ws://{}/v1/socket", target.authority).into_client_request().map_err(refused)?;
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("wenzhen.v1.proto"));
        // Small buffers: tungstenite takes 128 KiB a socket by default.
        let config = WebSocketConfig::default().read_buffer_size(1024).write_buffer_size(0).max_message_size(Some(1 << 20));
        let (stream, _) = client_async_with_config(request, stream, Some(config)).await.map_err(refused)?;
        let mut socket = Self { stream, pending: BytesMut::new(), welcome: Welcome::default(), _lease: lease };
        let hello = Hello {
            access_token: access_token.to_owned(),
            device: device.to_string(),
            client: concat!("loadtest/", env!("CARGO_PKG_VERSION")).into(),
        };
        socket.send(command::Kind::Hello(hello)).await.map_err(refused)?;
        match socket.next().await {
            Ok(event::Kind::Welcome(welcome)) => socket.welcome = welcome,
            Ok(event::Kind::Error(error)) => return Err(OpenError::Refused(error.code)),
            Ok(_) => return Err(OpenError::Refused("no_welcome".into())),
            Err(ended) => return Err(OpenError::Closed(ended)),
        }
        Ok(socket)
    }

    pub async fn send(&mut self, kind: command::Kind) -> Result<(), tungstenite::Error> {
        let record = Command { kind: Some(kind) }.encode_length_delimited_to_vec();
        self.stream.send(Message::Binary(record.into())).await
    }

    /// The next event. Cancel-safe.
    pub async fn next(&mut self) -> Result<event::Kind, Ended> {
        loop {
            while !self.pending.is_empty() {
                let event = Event::decode_length_delimited(&mut self.pending).map_err(|_| Ended::Malformed)?;
                if let Some(kind) = event.kind {
                    return Ok(kind); // none: a newer server's event
                }
            }
            match self.stream.next().await {
                Some(Ok(Message::Binary(frame))) => self.pending.extend_from_slice(&frame),
                Some(Ok(Message::Close(frame))) => {
                    let within = |reason: &str| reason.rsplit_once("within_ms=").and_then(|(_, within)| within.parse().ok());
                    return Err(
                        frame.map_or(Ended::Broken, |frame| Ended::Closed { code: frame.code.into(), within_ms: within(&frame.reason) })
                    );
                }
                Some(Ok(_)) => {}
                Some(Err(tungstenite::Error::Protocol(error)))
                    if !matches!(error, tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) =>
                {
                    return Err(Ended::Malformed);
                }
                Some(Err(_)) | None => return Err(Ended::Broken),
            }
        }
    }

    pub async fn close(mut self) {
        // The server may be gone already; closing is a courtesy.
        let _ = self.stream.close(None).await;
    }

    /// The kernel takes only so much for a slow reader; what it took already stays.
    pub fn set_receive_buffer(&self, bytes: usize) {
        // A hint: the kernel has a least size of its own.
        let _ = socket2::SockRef::from(self.stream.get_ref()).set_recv_buffer_size(bytes);
    }
}

impl From<ConnectError> for OpenError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Generator(limit) => Self::Generator(limit.into()),
            ConnectError::Server { source, .. } => classify(source),
        }
    }
}

fn classify(error: std::io::Error) -> OpenError {
    // EADDRNOTAVAIL, EMFILE, ENFILE: this machine is out of ports or files.
    match error.raw_os_error() {
        Some(99 | 24 | 23) => OpenError::Generator(error.into()),
        _ => OpenError::Connect(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_comes_back_as_the_close_code_says() {
        let closed = |code, within_ms| Ended::Closed { code, within_ms }.come_back();
        for never in [1000, 1002, 1007, 1009, 4004, 4005, 4006, 4010] {
            assert_eq!(closed(never, None), None, "{never}");
        }
        assert_eq!(closed(4009, Some(30_000)), Some(ComeBack { within_ms: 30_000, ..ComeBack::default() }));
        assert_eq!(closed(4003, Some(1_000)), Some(ComeBack { within_ms: 1_000, new_token: true, not_before_ms: 0 }));
        assert_eq!(Ended::Broken.come_back(), Some(ComeBack::default()));
    }

    #[test]
    fn retry_after_is_a_wait_and_a_plain_refusal_is_final() {
        let seven = HeaderValue::from_static("7");
        assert_eq!(after_http(503, Some(&seven)), Some(ComeBack { not_before_ms: 7_000, ..ComeBack::default() }));
        assert_eq!(after_http(429, None), Some(ComeBack::default()));
        assert_eq!(after_http(403, None), None);
    }
}
