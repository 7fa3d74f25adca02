//! One socket from upgrade to close.

mod link;
mod mailbox;
mod outgoing;

pub(crate) use link::Link;
pub(crate) use mailbox::{CloseOrder, Pushed};
pub(crate) use outgoing::{Class, Encoder, EphemeralKey, Outgoing};
