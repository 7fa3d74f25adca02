//! A client of the protobuf subprotocol, as plain as it can be: what a test sends is what goes out.

use bytes::BytesMut;
use chat::wire::{Body, Command, Entry, Event, Hello, Pull, Send, Sent, Text, body, command, event};
use futures_util::{SinkExt, StreamExt};
use prost::Message as _;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Longer than any answer takes on a busy machine; hitting it is a failure, not a measurement.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pending: BytesMut,
}

impl Socket {
    /// Connected, but nothing said yet.
    pub async fn connect(port: u16) -> Result<Self, Error> {
        let mut request = format!("ws://127.0.0.1:{port}/v1/socket").into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("wenzhen.v1.proto"));
        let (stream, _) = connect_async(request).await?;
        Ok(Self { stream, pending: BytesMut::new() })
    }

    /// Connected and welcomed.
    pub async fn open(port: u16, access_token: &str) -> Result<Self, Error> {
        let mut socket = Self::connect(port).await?;
        let hello = Hello { access_token: access_token.into(), device: uuid::Uuid::now_v7().to_string(), client: "tests".into() };
        socket.command(command::Kind::Hello(hello)).await?;
        match socket.next().await {
            Some(event::Kind::Welcome(_)) => Ok(socket),
            _ => Err(Error::ConnectionClosed),
        }
    }

    pub async fn command(&mut self, kind: command::Kind) -> Result<(), Error> {
        self.raw(Command { kind: Some(kind) }.encode_length_delimited_to_vec()).await
    }

    /// A binary frame of whatever bytes.
    pub async fn raw(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        self.stream.send(Message::Binary(bytes.into())).await
    }

    pub async fn say(&mut self, conversation: &str, id: uuid::Uuid, text: &str) -> Result<(), Error> {
        let body = Body { kind: Some(body::Kind::Text(Text { text: text.into(), reply_to_seq: 0 })) };
        self.command(command::Kind::Send(Send { conversation: conversation.into(), id: id.to_string(), body: Some(body) })).await
    }

    /// The next event; none once the socket is closed.
    pub async fn next(&mut self) -> Option<event::Kind> {
        loop {
            if !self.pending.is_empty() {
                let event = Event::decode_length_delimited(&mut self.pending).expect("the server speaks the protocol");
                return event.kind;
            }
            match tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("an answer")?.ok()? {
                Message::Binary(frame) => self.pending.extend_from_slice(&frame),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    /// The code with which the server closes the socket; none when it just breaks off. Events before that are skipped.
    pub async fn closed(&mut self) -> Option<u16> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("an end")?.ok()?;
            if let Message::Close(frame) = message {
                return frame.map(|frame| frame.code.into());
            }
        }
    }

    /// Skips what comes before the first event that `wanted` takes.
    pub async fn until<T>(&mut self, mut wanted: impl FnMut(event::Kind) -> Option<T>) -> Option<T> {
        loop {
            if let Some(found) = wanted(self.next().await?) {
                return Some(found);
            }
        }
    }

    /// Says it and waits for the acknowledgement, or the refusal's code.
    pub async fn say_and_wait(&mut self, conversation: &str, id: uuid::Uuid, text: &str) -> Option<Result<Sent, String>> {
        self.say(conversation, id, text).await.ok()?;
        let id = id.to_string();
        self.until(|kind| match kind {
            event::Kind::Sent(sent) if sent.id == id => Some(Ok(sent)),
            event::Kind::Error(error) if error.re == id => Some(Err(error.code)),
            _ => None,
        })
        .await
    }

    /// The whole conversation from seq 1.
    pub async fn history(&mut self, conversation: &str) -> Vec<Entry> {
        let mut entries = Vec::new();
        loop {
            let from_seq = entries.len() as u64 + 1;
            let pull = Pull { conversation: conversation.into(), from_seq, limit: 200, ..Pull::default() };
            self.command(command::Kind::Pull(pull)).await.expect("the socket is open");
            let page = self
                .until(|kind| match kind {
                    event::Kind::Page(page) if page.conversation == conversation => Some(page),
                    event::Kind::Error(error) => panic!("the pull was refused: {}", error.code),
                    _ => None,
                })
                .await
                .expect("a page");
            let head = page.head_seq;
            entries.extend(page.entries);
            if entries.len() as u64 >= head {
                return entries;
            }
        }
    }
}
