//! The first frame: an access token within five seconds, or the socket closes.

use super::mailbox::CloseOrder;
use super::pump::End;
use crate::errors::CloseCode;
use crate::hub::Hub;
use crate::ids::DeviceId;
use crate::limits::wire_limits::CLIENT_CHARS_MAX;
use crate::token::AccessClaims;
use crate::wire::codec::{FrameRef, Subprotocol, decode_commands};
use crate::wire::{Command, Hello, command::Kind};
use axum::extract::ws::{Message, WebSocket};
use futures_util::StreamExt;
use std::collections::VecDeque;
use std::time::Duration;

/// A person whose token was good.
pub(crate) struct Greeting {
    pub claims: AccessClaims,
    pub device: DeviceId,
    /// Commands that came in the same frame.
    pub waiting: VecDeque<Command>,
}

pub(super) async fn greet(hub: &Hub, socket: &mut WebSocket, subprotocol: Subprotocol) -> Result<Greeting, End> {
    let patience = Duration::from_millis(u64::from(hub.limits.hello_timeout_ms));
    let message = match tokio::time::timeout(patience, first_message(socket)).await {
        Ok(message) => message?,
        Err(_) => return Err(refused(CloseCode::HelloTimeout)),
    };
    let frame = match &message {
        Message::Text(text) => FrameRef::Text(text),
        Message::Binary(bytes) => FrameRef::Binary(bytes),
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) => return Err(End::Gone),
    };
    let mut commands = VecDeque::from(decode_commands(subprotocol, frame).map_err(|_| refused(CloseCode::Malformed))?);
    let Some(Command { kind: Some(Kind::Hello(hello)) }) = commands.pop_front() else {
        return Err(refused(CloseCode::HelloExpected));
    };
    let (claims, device) = check(hub, &hello).map_err(refused)?;
    Ok(Greeting { claims, device, waiting: commands })
}

fn check(hub: &Hub, hello: &Hello) -> Result<(AccessClaims, DeviceId), CloseCode> {
    let claims = hub.authenticate(&hello.access_token).map_err(CloseCode::of_refused_token)?;
    let device = hello.device.parse().map_err(|_| CloseCode::Malformed)?;
    if hello.client.chars().count() > CLIENT_CHARS_MAX {
        return Err(CloseCode::Malformed);
    }
    Ok((claims, device))
}

/// Pings are answered below us and are no hello.
async fn first_message(socket: &mut WebSocket) -> Result<Message, End> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(message)) => return Ok(message),
            Some(Err(error)) => return Err(End::of_error(error)),
            None => return Err(End::Gone),
        }
    }
}

fn refused(code: CloseCode) -> End {
    metrics::counter!("wenzhen_hellos_refused_total", "close" => code.name()).increment(1);
    End::Close(CloseOrder { code, within_ms: code.within_ms() })
}
