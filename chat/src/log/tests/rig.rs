//! A log in a temporary directory with a manual clock, and words to write to it with.

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::ids::{ConversationId, MessageId, Timestamp, UserId};
use crate::log::head::{ConversationState, Member, RetentionClass};
use crate::log::{Committed, Draft, Embedded, MessageLog, NewConversation, Options};
use crate::seal::MemoryKeys;
use crate::wire::{self, SenderRole, body::Kind};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

pub struct Rig {
    pub dir: TempDir,
    pub clock: Clock,
    pub entropy: Entropy,
    pub keys: MemoryKeys,
    pub published: Arc<Mutex<Vec<Committed>>>,
}

impl Rig {
    pub fn new() -> Self {
        let entropy = Entropy::seeded(7);
        Self {
            dir: tempfile::tempdir().unwrap(),
            clock: Clock::manual(Timestamp(1_700_000_000_000)),
            keys: MemoryKeys::new(entropy.clone()),
            entropy,
            published: Arc::default(),
        }
    }

    pub fn options(&self) -> Options {
        let published = self.published.clone();
        Options {
            publish: Arc::new(move |committed| published.lock().unwrap().push(committed.clone())),
            free_bytes_min: 0,
            ..Options::new(self.dir.path(), self.clock.clone(), self.entropy.clone(), Arc::new(self.keys.clone()))
        }
    }

    pub fn open(&self) -> MessageLog {
        MessageLog::Embedded(Embedded::open(self.options()).unwrap())
    }

    pub fn id<T: From<uuid::Uuid>>(&self) -> T {
        self.entropy.id(self.clock.now())
    }

    /// A patient alone, waiting.
    pub fn waiting(&self) -> NewConversation {
        let patient: UserId = self.id();
        NewConversation {
            id: self.id(),
            tenant: self.id(),
            subject: patient,
            members: vec![Member { user: patient, role: SenderRole::Patient, visible_from: 1, left_at: None }],
            state: ConversationState::Waiting,
            retention: RetentionClass::Consultation,
            first: Vec::new(),
        }
    }

    /// Patient and doctor, open.
    pub async fn talk(&self, log: &MessageLog) -> Talk {
        let mut new = self.waiting();
        let doctor: UserId = self.id();
        new.members.push(Member { user: doctor, role: SenderRole::Doctor, visible_from: 1, left_at: None });
        new.state = ConversationState::Open;
        let talk = Talk { id: new.id, patient: new.subject, doctor };
        log.create(new).await.unwrap();
        talk
    }

    pub fn text(&self, sender: UserId, text: &str) -> Draft {
        self.draft(Some(sender), text_kind(text))
    }

    pub fn draft(&self, sender: Option<UserId>, kind: Kind) -> Draft {
        Draft { sender, id: self.id::<MessageId>(), body: wire::Body { kind: Some(kind) }, urgent: false }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Talk {
    pub id: ConversationId,
    pub patient: UserId,
    pub doctor: UserId,
}

pub fn text_kind(text: &str) -> Kind {
    Kind::Text(wire::Text { text: text.into(), reply_to_seq: 0 })
}

pub fn text_of(entry: &wire::Entry) -> &str {
    match entry.body.as_ref().and_then(|body| body.kind.as_ref()) {
        Some(Kind::Text(text)) => &text.text,
        other => panic!("not a text: {other:?}"),
    }
}
