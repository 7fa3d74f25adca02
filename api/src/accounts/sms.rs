//! The SMS provider: a closed enum. The simulator keeps what it "sent" in memory, for the demo's inbox page and for tests.
//!
//! Nothing here is ever logged: a message holds a number and a code.

use super::model::Phone;
use crate::outbox::HandlerError;
use chat::ids::Timestamp;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

const INBOX_MESSAGES_MAX: usize = 200;

#[derive(Clone, Debug)]
pub enum Sms {
    Simulator(Inbox),
}

#[derive(Clone)]
pub struct SmsMessage {
    pub phone: Phone,
    pub text: String,
    pub sent_at: Timestamp,
}

impl std::fmt::Debug for SmsMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SmsMessage(***)")
    }
}

#[derive(Clone, Debug, Default)]
pub struct Inbox(Arc<Mutex<VecDeque<SmsMessage>>>);

impl Sms {
    pub fn simulator() -> Self {
        Self::Simulator(Inbox::default())
    }

    pub(super) async fn send(&self, message: SmsMessage) -> Result<(), HandlerError> {
        match self {
            Self::Simulator(inbox) => inbox.put(message),
        }
        Ok(())
    }

    /// What the simulator sent, newest first.
    pub fn sent(&self) -> Vec<SmsMessage> {
        match self {
            Self::Simulator(Inbox(messages)) => {
                messages.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).iter().rev().cloned().collect()
            }
        }
    }
}

impl Inbox {
    fn put(&self, message: SmsMessage) {
        let mut messages = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if messages.len() == INBOX_MESSAGES_MAX {
            messages.pop_front();
        }
        messages.push_back(message);
    }
}
