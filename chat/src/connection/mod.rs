//! One socket from upgrade to close: origin, admission, hello, then commands in and events out in a single task.
//!
//! Decides nothing about conversations: who may speak is the log's guard, who sees what is [`view`]'s. A socket has no timer of its
//! own and one task, because there are tens of thousands of them.

mod admission;
mod closing;
mod commands;
mod hello;
mod link;
mod mailbox;
mod origin;
mod outgoing;
mod pump;
mod upgrade;
mod validate;
mod view;

#[cfg(test)]
mod tests;

pub use commands::{AttachmentCheck, AttachmentClaim, AttachmentFacts, AttachmentKind};
pub use origin::Origins;

pub(crate) use admission::{Admission, Refused as NotAdmitted, Visitor};
pub(crate) use hello::Greeting;
pub(crate) use link::Link;
pub(crate) use mailbox::{CloseOrder, Pushed};
pub(crate) use outgoing::{Class, Encoder, EntryMark, EphemeralKey, Outgoing};
pub(crate) use view::{View, placeholder};

use crate::hub::Hub;
use crate::wire::codec::Subprotocol;
use axum::extract::ws::WebSocket;
use closing::close;
use pump::{End, Pump};
use std::sync::Arc;

/// The whole life of a socket. What is rare is boxed, so that the task of an idle one stays small.
async fn serve(hub: Arc<Hub>, mut socket: WebSocket, subprotocol: Subprotocol, visitor: Visitor) {
    let greeted = Box::pin(hello::greet(&hub, &mut socket, subprotocol)).await;
    drop(visitor);
    let (entered, waiting) = match greeted {
        Ok(greeting) => hub.enter(greeting, subprotocol),
        Err(End::Gone) => return,
        Err(End::Close(order)) => return Box::pin(close(socket, order)).await,
    };
    let end = Pump::new(&hub, &entered.link, &mut socket, waiting).await;
    if let End::Close(order) = end {
        Box::pin(closing::say(&mut socket, order)).await;
    }
    drop(entered);
    if matches!(end, End::Close(_)) {
        Box::pin(closing::linger(socket)).await;
    }
}
