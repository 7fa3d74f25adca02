//! What a client may ask for. Each command answers through its socket's mailbox; none of them holds the socket.
//!
//! Order: sends of plain bodies to one conversation run side by side, because the log queues them in the order they are first polled;
//! everything else waits for what is before it. Foreign and never-existed conversations answer alike.

mod call;
mod history;
mod marks;
mod presence;
mod resume;
mod send;
mod typing;

pub use send::{AttachmentCheck, AttachmentClaim, AttachmentFacts, AttachmentKind};

use super::link::Link;
use super::validate::Invalid;
use super::view::View;
use crate::errors::{CloseCode, Code};
use crate::hub::{Exceeded, Hub};
use crate::ids::ConversationId;
use crate::log::LogError;
use crate::log::head::Head;
use crate::token::AccessClaims;
use crate::wire::{self, Command, body, command::Kind};
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// A command under way.
pub(super) struct Running {
    pub future: BoxFuture<'static, ()>,
    pub ordering: Ordering,
}

/// What may run beside a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ordering {
    Alone,
    /// Beside other sends to the same conversation.
    Pipelined(ConversationId),
}

pub(super) fn ordering(link: &Link, command: &Command) -> Ordering {
    let Some(Kind::Send(send)) = &command.kind else { return Ordering::Alone };
    let plain = matches!(send.body.as_ref().and_then(|body| body.kind.as_ref()), Some(body::Kind::Text(_)));
    match send.conversation.parse() {
        // The first send of a socket to a conversation may have to fetch its key, and the second could overtake it.
        Ok(conversation) if plain && link.warm() == Some(conversation) => Ordering::Pipelined(conversation),
        _ => Ordering::Alone,
    }
}

pub(super) fn may_start(ordering: Ordering, running: &[Running], in_flight_max: usize) -> bool {
    match ordering {
        Ordering::Alone => running.is_empty(),
        Ordering::Pipelined(_) => running.len() < in_flight_max && running.iter().all(|other| other.ordering == ordering),
    }
}

/// Answers at once or returns what remains to be awaited.
pub(super) fn start(hub: &Arc<Hub>, link: &Arc<Link>, command: Command) -> Option<BoxFuture<'static, ()>> {
    let Some(kind) = command.kind else {
        link.refuse(hub, Refused::plain(Code::UnknownCommand), "", "");
        return None;
    };
    if let Err(exceeded) = link.person.take_command(matches!(kind, Kind::Send(_)), hub.clock.now()) {
        refuse_rate(hub, link, exceeded, &kind);
        return None;
    }
    let (hub, link) = (hub.clone(), link.clone());
    match kind {
        Kind::Hello(_) => link.refuse(&hub, Refused::plain(Code::AlreadyAuthenticated), "", ""),
        Kind::Refresh(refresh) => refresh_token(&hub, &link, &refresh.access_token),
        Kind::Ping(ping) => link.reply(&hub, &wire::Pong { nonce: ping.nonce, server_time_ms: hub.clock.now().0 }.into()),
        Kind::Call(command) => call::hand_over(&hub, &link, command),
        Kind::Send(command) => return Some(Box::pin(send::run(hub, link, command))),
        Kind::Pull(command) => return Some(Box::pin(history::pull(hub, link, command))),
        Kind::Delivered(command) => return Some(Box::pin(marks::delivered(hub, link, command))),
        Kind::Read(command) => return Some(Box::pin(marks::read(hub, link, command))),
        Kind::Typing(command) => return Some(Box::pin(typing::run(hub, link, command))),
        Kind::WatchPresence(command) => return Some(Box::pin(presence::watch(hub, link, command))),
        Kind::Resume(command) => return Some(Box::pin(resume::run(hub, link, command))),
    }
    None
}

/// The same session, a later token. A bad one leaves the socket as it was: the old token still counts until it expires.
fn refresh_token(hub: &Hub, link: &Link, token: &str) {
    let same = |claims: &AccessClaims| claims.session == link.session && claims.user == link.user && claims.role == link.person.role;
    match hub.authenticate(token) {
        Ok(claims) if same(&claims) => {
            link.refresh(&claims);
            link.reply(hub, &wire::Refreshed { token_expires_at_ms: claims.expires_at.0 }.into());
        }
        Ok(_) => link.refuse(hub, Refused::plain(Code::Unauthenticated), "", ""),
        Err(code) => link.refuse(hub, Refused::plain(code), "", ""),
    }
}

fn refuse_rate(hub: &Hub, link: &Link, exceeded: Exceeded, kind: &Kind) {
    metrics::counter!("wenzhen_commands_limited_total").increment(1);
    let (re, conversation) = match kind {
        Kind::Send(send) => (send.id.as_str(), send.conversation.as_str()),
        Kind::Call(call) => (call.call.as_str(), ""),
        _ => ("", ""),
    };
    match exceeded {
        Exceeded::RetryAfterMs(ms) => {
            link.refuse(hub, Refused { retry_after_ms: Some(ms), ..Refused::plain(Code::RateLimited) }, re, conversation)
        }
        Exceeded::Abuse => link.close(CloseCode::Abuse),
    }
}

/// Why a command was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub code: Code,
    pub message: &'static str,
    pub retry_after_ms: Option<u32>,
}

impl Refused {
    pub fn plain(code: Code) -> Self {
        Self { code, message: code.message(), retry_after_ms: None }
    }
}

impl From<Code> for Refused {
    fn from(code: Code) -> Self {
        Self::plain(code)
    }
}

impl From<Invalid> for Refused {
    fn from(invalid: Invalid) -> Self {
        Self { code: invalid.code, message: invalid.what, retry_after_ms: None }
    }
}

impl From<LogError> for Refused {
    fn from(error: LogError) -> Self {
        let code = Code::of_log_error(&error);
        if code == Code::Internal {
            tracing::error!(error = &error as &dyn std::error::Error, "socket.log_failed");
        }
        Self::plain(code)
    }
}

impl Link {
    /// Long texts of the client are not repeated: an id has 36 characters.
    fn refuse(&self, hub: &Hub, refused: Refused, re: &str, conversation: &str) {
        let id_or_nothing = |text: &str| if text.len() <= 36 { text.to_owned() } else { String::new() };
        let error = wire::Error {
            code: refused.code.as_str().into(),
            message: refused.message.into(),
            temporary: refused.code.temporary(),
            retry_after_ms: refused.retry_after_ms.unwrap_or(refused.code.retry_after_ms()),
            re: id_or_nothing(re),
            conversation: id_or_nothing(conversation),
        };
        metrics::counter!("wenzhen_commands_refused_total", "code" => refused.code.as_str()).increment(1);
        self.reply(hub, &error.into());
    }
}

/// The conversation and what this person sees of it; the same refusal for foreign and never-existed ones.
async fn look(hub: &Hub, link: &Link, conversation: ConversationId) -> Result<(Head, View), Refused> {
    let head = hub.log.head(conversation).await?.ok_or(Code::UnknownConversation)?;
    let view = View::of(&head, link.user).ok_or(Code::UnknownConversation)?;
    Ok((head, view))
}

/// The same for somebody who still is a member.
async fn look_as_member(hub: &Hub, link: &Link, conversation: ConversationId) -> Result<(Head, View), Refused> {
    let (head, view) = look(hub, link, conversation).await?;
    if view.is_current() { Ok((head, view)) } else { Err(Code::UnknownConversation.into()) }
}
