//! What the business has to say before a call rings or is answered: consents, the bought channel, opening of the consultation.

use chat::errors::Code;
use chat::ids::{CallId, ConversationId, UserId};
use chat::wire::CallMedia;
use std::{future::Future, pin::Pin};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Invite,
    Accept,
}

#[derive(Clone, Copy, Debug)]
pub struct CallRequest {
    pub step: Step,
    pub call: CallId,
    pub conversation: ConversationId,
    pub inviter: UserId,
    pub callee: UserId,
    pub media: CallMedia,
}

impl CallRequest {
    /// Who wishes this step.
    pub fn actor(&self) -> UserId {
        match self.step {
            Step::Invite => self.inviter,
            Step::Accept => self.callee,
        }
    }
}

/// Implemented by `api`. Called once per invite and accept, before the log is asked; membership and state are the log's guards.
pub trait CallGate: Send + Sync {
    fn permit(&self, request: CallRequest) -> Pin<Box<dyn Future<Output = Result<(), Code>> + Send + '_>>;
}

/// A server without consultations around its conversations: whoever may speak may call.
#[derive(Clone, Copy, Debug)]
pub struct OpenGate;

impl CallGate for OpenGate {
    fn permit(&self, _: CallRequest) -> Pin<Box<dyn Future<Output = Result<(), Code>> + Send + '_>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
