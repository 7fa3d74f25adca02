//! Hands a call command to signaling. Who may say what in a call is decided there.

use super::Refused;
use crate::connection::Link;
use crate::errors::Code;
use crate::hub::{Caller, Hub, InboundCall};
use crate::wire::CallCommand;
use tokio::sync::mpsc::error::TrySendError;

pub(super) fn hand_over(hub: &Hub, link: &Link, command: CallCommand) {
    let from = Caller { user: link.user, session: link.session, device: link.device, socket: link.id };
    let (code, command) = match hub.calls.try_send(InboundCall { from, command }) {
        Ok(()) => return,
        Err(TrySendError::Full(inbound)) => (Code::RateLimited, inbound.command),
        Err(TrySendError::Closed(inbound)) => (Code::Unavailable, inbound.command),
    };
    link.refuse(hub, Refused::plain(code), &command.call, "");
}
