//! One hostile connection from its opening to its end by the server.

use super::frame::{self, BINARY, FIN, Seen};
use super::kind::{Kind, Refusal, Stand, Volley, hello};
use crate::connect::Target;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What the server did about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Refused(Refusal),
    /// Turned away at the door, as anybody when too many come: 429 or 503 before the upgrade.
    AtTheDoor(u16),
    /// It lives on.
    NotShed,
    /// This machine's own limit.
    Generator,
}

/// Kept of what the server says.
const HEARD_BYTES_MAX: usize = 1 << 20;

pub(super) async fn strike(target: &Target, kind: Kind, access_token: Option<String>) -> Outcome {
    let Ok(mut stream) = TcpStream::connect(target.address).await else { return Outcome::Generator };
    // Without it a volley of small frames waits for the server's acknowledgements.
    let _ = stream.set_nodelay(true);
    let struck = tokio::time::timeout(kind.within(), fight(&mut stream, target, kind, access_token)).await;
    struck.unwrap_or(Outcome::NotShed)
}

async fn fight(stream: &mut TcpStream, target: &Target, kind: Kind, access_token: Option<String>) -> Outcome {
    let mut heard = Vec::new();
    let is_socket = match kind.stand() {
        Stand::Connected => false,
        Stand::Upgraded(protocol) => match upgrade(stream, target, protocol, &mut heard).await {
            Upgrade::Done => true,
            Upgrade::Answered(status @ (429 | 503)) => return Outcome::AtTheDoor(status),
            Upgrade::Answered(status) => return Outcome::Refused(Refusal::Status(status)),
            Upgrade::HungUp => return Outcome::Refused(Refusal::HungUp),
        },
        Stand::SignedIn => match upgrade(stream, target, "wenzhen.v1.proto", &mut heard).await {
            Upgrade::Done => {
                let record = hello(&access_token.unwrap_or_default());
                // A failed write shows as the end when we read.
                let _ = stream.write_all(&frame::masked(FIN | BINARY, &record)).await;
                true
            }
            Upgrade::Answered(status) => return Outcome::AtTheDoor(status),
            Upgrade::HungUp => return Outcome::Refused(Refusal::HungUp),
        },
    };
    send_and_hear(stream, kind.volley(&target.authority), heard, is_socket).await
}

/// Goes on firing until the server has ended it.
async fn send_and_hear(stream: &mut TcpStream, volley: Volley, mut heard: Vec<u8>, is_socket: bool) -> Outcome {
    let (mut reads, mut writes) = stream.split();
    let fire = async {
        let Volley { first, again, every } = volley;
        if writes.write_all(&first).await.is_ok() && !again.is_empty() {
            let mut beats = tokio::time::interval(every);
            loop {
                beats.tick().await;
                if writes.write_all(&again).await.is_err() {
                    break;
                }
            }
        }
        // The server may have said why before it stopped taking.
        std::future::pending::<()>().await;
    };
    let hear = async {
        loop {
            if let Some(refusal) = judged(&heard, is_socket) {
                return refusal;
            }
            heard.truncate(HEARD_BYTES_MAX);
            match reads.read_buf(&mut heard).await {
                Ok(0) | Err(_) => return judged(&heard, is_socket).unwrap_or(Refusal::HungUp),
                Ok(_) => {}
            }
        }
    };
    tokio::select! {
        refusal = hear => Outcome::Refused(refusal),
        () = fire => Outcome::NotShed,
    }
}

fn judged(heard: &[u8], is_socket: bool) -> Option<Refusal> {
    if is_socket {
        return match frame::find_close(heard) {
            Seen::Close(code) => Some(Refusal::Close(code)),
            Seen::Incomplete => None,
        };
    }
    status(heard).map(Refusal::Status)
}

enum Upgrade {
    Done,
    Answered(u16),
    HungUp,
}

/// Asks for a socket; what came behind the answer's header stays in `heard`.
async fn upgrade(stream: &mut TcpStream, target: &Target, protocol: &str, heard: &mut Vec<u8>) -> Upgrade {
    let request = format!(
        "GET /v1/socket HTTP/1.1\r\nhost: {}\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: {protocol}\r\n\r\n",
        target.authority
    );
    if stream.write_all(request.as_bytes()).await.is_err() {
        return Upgrade::HungUp;
    }
    loop {
        if let Some(end) = heard.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let status = status(heard).unwrap_or(0);
            heard.drain(..end + 4);
            return if status == 101 { Upgrade::Done } else { Upgrade::Answered(status) };
        }
        match stream.read_buf(heard).await {
            Ok(0) | Err(_) => return Upgrade::HungUp,
            Ok(_) => {}
        }
    }
}

fn status(heard: &[u8]) -> Option<u16> {
    let line = heard.strip_prefix(b"HTTP/1.")?.get(2..5)?;
    std::str::from_utf8(line).ok()?.parse().ok()
}

/// A moment for the last of them.
pub(super) const fn longest() -> Duration {
    Duration::from_secs(12)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_from_its_first_line_once_it_is_there() {
        assert_eq!(status(b"HTTP/1.1 431 Request Header Fields Too Large\r\n"), Some(431));
        assert_eq!((status(b"HTTP/1.1 4"), status(b"SSH-2.0-x")), (None, None));
        assert_eq!(judged(&frame::unmasked(FIN | 8, &[0x03, 0xf1]), true), Some(Refusal::Close(1009)));
    }
}
