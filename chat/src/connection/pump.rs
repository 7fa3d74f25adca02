//! The single future of an open socket: writes what its mailbox holds, reads commands while there is room, runs them.
//!
//! It is polled by hand because everything happens on one task: a slow write must not stop reading pongs, and a command on its way to
//! the disk must not stop the next one. A socket whose mailbox is full is not read: that is the whole credit a client has.

use super::commands::{self, Running};
use super::link::Link;
use super::mailbox::{CloseOrder, Next};
use super::outgoing::{Class, EntryMark, Outgoing, encode};
use crate::errors::CloseCode;
use crate::hub::{Exceeded, Hub};
use crate::wire::codec::{DecodeError, FrameRef, decode_commands};
use crate::wire::{self, Command};
use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use futures_util::{Sink, Stream};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio_tungstenite::tungstenite;

/// What a frame costs beside its payload, so that empty ones are not free.
const FRAME_BYTES: usize = 32;

/// How a socket ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The peer is not there any more, or cannot be written to.
    Gone,
    Close(CloseOrder),
}

impl End {
    fn because(code: CloseCode) -> Self {
        Self::Close(CloseOrder { code, within_ms: code.within_ms() })
    }

    /// The close code RFC 6455 asks for.
    pub fn of_error(error: axum::Error) -> Self {
        match error.into_inner().downcast_ref::<tungstenite::Error>() {
            Some(tungstenite::Error::Capacity(_)) => Self::because(CloseCode::TooBig),
            Some(tungstenite::Error::Utf8(_)) => Self::because(CloseCode::InvalidPayload),
            Some(tungstenite::Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)) => Self::Gone,
            Some(tungstenite::Error::Protocol(_)) => Self::because(CloseCode::ProtocolError),
            _ => Self::Gone,
        }
    }
}

pub(super) struct Pump<'a> {
    hub: &'a Arc<Hub>,
    link: &'a Arc<Link>,
    socket: &'a mut WebSocket,
    waiting: VecDeque<Command>,
    running: Vec<Running>,
    /// The socket's own buffer has to be flushed before it takes another frame.
    unready: bool,
    /// Written to the socket's buffer and not flushed.
    dirty: bool,
}

impl<'a> Pump<'a> {
    pub fn new(hub: &'a Arc<Hub>, link: &'a Arc<Link>, socket: &'a mut WebSocket, waiting: VecDeque<Command>) -> Self {
        Self { hub, link, socket, waiting, running: Vec::new(), unready: false, dirty: false }
    }
}

impl Future for Pump<'_> {
    type Output = End;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<End> {
        let pump = self.get_mut();
        loop {
            // Registered before the mailbox is looked at, so that a push in between is not slept through.
            pump.link.mailbox.register(context);
            if let Some(end) = pump.write(context) {
                return Poll::Ready(end);
            }
            let ran = pump.run(context) | pump.start();
            let read = match pump.read(context) {
                Poll::Ready(Err(end)) => return Poll::Ready(end),
                Poll::Ready(Ok(())) => true,
                Poll::Pending => false,
            };
            if !ran && !read {
                return Poll::Pending;
            }
        }
    }
}

impl Pump<'_> {
    fn write(&mut self, context: &mut Context<'_>) -> Option<End> {
        loop {
            match Pin::new(&mut *self.socket).poll_ready(context) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Some(End::Gone),
                Poll::Pending => {
                    self.unready = true;
                    return self.give_up_if_ordered();
                }
            }
            if std::mem::take(&mut self.unready) {
                self.link.unblocked(self.hub.tick());
            }
            let message = match self.link.mailbox.next() {
                Next::Item(item) => item.message,
                Next::Lagged(marks) => self.lag_report(marks),
                Next::Ping => Message::Ping(Bytes::new()),
                Next::Close(order) if self.may_close(order) => return Some(End::Close(order)),
                Next::Close(_) | Next::Nothing => return self.flush(context),
            };
            if Pin::new(&mut *self.socket).start_send(message).is_err() {
                return Some(End::Gone);
            }
            self.dirty = true;
        }
    }

    fn flush(&mut self, context: &mut Context<'_>) -> Option<End> {
        if !self.dirty {
            return None;
        }
        match Pin::new(&mut *self.socket).poll_flush(context) {
            Poll::Ready(Ok(())) => {
                self.dirty = false;
                self.link.unblocked(self.hub.tick());
                None
            }
            Poll::Ready(Err(_)) => Some(End::Gone),
            Poll::Pending => self.give_up_if_ordered(),
        }
    }

    /// Nothing can be written, a close frame neither. A drain waits for the reader; everything else ends here.
    fn give_up_if_ordered(&mut self) -> Option<End> {
        self.link.blocked();
        match self.link.mailbox.close_order() {
            Some(order) if order.code != CloseCode::Drain => Some(End::Gone),
            _ => None,
        }
    }

    /// What is on its way to the disk is acknowledged first, unless the person may not hear anything any more.
    fn may_close(&self, order: CloseOrder) -> bool {
        self.running.is_empty() || order.code == CloseCode::Revoked
    }

    fn lag_report(&self, marks: Vec<EntryMark>) -> Message {
        let heads = marks.into_iter().map(EntryMark::to_head).collect();
        encode(self.link.subprotocol, &wire::Heads { heads, lagging: true }.into())
    }

    /// Polls the commands under way; true when one finished.
    fn run(&mut self, context: &mut Context<'_>) -> bool {
        let before = self.running.len();
        self.running.retain_mut(|running| running.future.as_mut().poll(context).is_pending());
        if self.running.is_empty() && before > 4 {
            self.running = Vec::new();
        }
        self.running.len() < before
    }

    /// Starts waiting commands as far as their order allows; true when one was started.
    fn start(&mut self) -> bool {
        let mut started = false;
        while let Some(command) = self.waiting.front() {
            if self.link.mailbox.bytes() > self.hub.limits.queue_bytes_max || self.link.mailbox.close_order().is_some() {
                break;
            }
            let ordering = commands::ordering(self.link, command);
            if !commands::may_start(ordering, &self.running, self.hub.limits.sends_in_flight_max) {
                break;
            }
            let Some(command) = self.waiting.pop_front() else { break };
            started = true;
            if let Some(future) = commands::start(self.hub, self.link, command) {
                self.running.push(Running { future, ordering });
            }
        }
        if started && self.waiting.is_empty() && self.waiting.capacity() > 8 {
            self.waiting = VecDeque::new();
        }
        started
    }

    fn read(&mut self, context: &mut Context<'_>) -> Poll<Result<(), End>> {
        if !self.waiting.is_empty() || self.link.mailbox.bytes() > self.hub.limits.queue_bytes_max {
            return Poll::Pending;
        }
        match Pin::new(&mut *self.socket).poll_next(context) {
            Poll::Ready(Some(Ok(message))) => Poll::Ready(self.take(&message)),
            Poll::Ready(Some(Err(error))) => Poll::Ready(Err(End::of_error(error))),
            Poll::Ready(None) => Poll::Ready(Err(End::Gone)),
            Poll::Pending => Poll::Pending,
        }
    }

    fn take(&mut self, message: &Message) -> Result<(), End> {
        self.link.heard(self.hub.tick());
        let now = self.hub.clock.now();
        let frame = match message {
            Message::Text(text) => FrameRef::Text(text),
            Message::Binary(bytes) => FrameRef::Binary(bytes),
            Message::Ping(_) | Message::Pong(_) => {
                // Answered below us; a flood of them is still a flood.
                return self.limit(self.link.person.take_command(false, now));
            }
            Message::Close(_) => return Ok(()),
        };
        let bytes = match frame {
            FrameRef::Text(text) => text.len(),
            FrameRef::Binary(bytes) => bytes.len(),
        };
        self.limit(self.link.person.take_bytes(FRAME_BYTES + bytes, now))?;
        let commands = decode_commands(self.link.subprotocol, frame).map_err(|error| match error {
            DecodeError::TooLong => End::because(CloseCode::TooBig),
            _ => End::because(CloseCode::Malformed),
        })?;
        self.waiting.extend(commands);
        Ok(())
    }

    /// Bytes and control frames have nobody to answer: only abuse has a consequence here, a command is refused at its start.
    fn limit(&self, taken: Result<(), Exceeded>) -> Result<(), End> {
        match taken {
            Err(Exceeded::Abuse) => Err(End::because(CloseCode::Abuse)),
            _ => Ok(()),
        }
    }
}

impl Link {
    /// Answers a command of this socket.
    pub(crate) fn reply(&self, hub: &Hub, event: &wire::Event) {
        let item = Outgoing { message: encode(self.subprotocol, event), class: Class::Reply };
        self.mailbox.push(item, &hub.limits);
    }
}
