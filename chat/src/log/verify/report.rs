//! What verification found, in words an operator can act on.

use crate::ids::ConversationId;
use crate::log::embedded::journal::JournalDamage;
use crate::log::error::LogError;
use crate::log::types::FeedCursor;
use std::path::PathBuf;

const FINDINGS_MAX: usize = 1_000;

#[derive(Debug, Default)]
pub struct Report {
    pub conversations: u64,
    pub entries: u64,
    /// Conversations whose person was erased: their chains are proved, their words are gone on purpose.
    pub erased: u64,
    pub bodies_checked: bool,
    /// The first broken entry of each conversation, and everything that is wrong around them; the first thousand.
    pub findings: Vec<Finding>,
}

impl Report {
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    pub(super) fn found(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_MAX && !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Entry {
        conversation: ConversationId,
        seq: u64,
        what: String,
    },
    Conversation {
        conversation: ConversationId,
        what: String,
    },
    Feed {
        cursor: FeedCursor,
        what: String,
    },
    /// Damage in the engine's write-ahead journal.
    Journal(JournalDamage),
    /// Damage in one of the engine's table files; keys in hexadecimal.
    Table {
        file: PathBuf,
        keyspace: &'static str,
        first_key: String,
        last_key: String,
    },
    Engine {
        what: String,
    },
}

impl Finding {
    pub(super) fn of(error: &LogError) -> Self {
        match error {
            LogError::Damaged { conversation: Some(conversation), seq: Some(seq), what } => {
                Self::Entry { conversation: *conversation, seq: *seq, what: what.clone() }
            }
            LogError::Damaged { conversation: Some(conversation), seq: None, what } => {
                Self::Conversation { conversation: *conversation, what: what.clone() }
            }
            other => Self::Engine { what: super::whole_story(other) },
        }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Entry { conversation, seq, what } => write!(f, "conversation {conversation}, entry {seq}: {what}"),
            Self::Conversation { conversation, what } => write!(f, "conversation {conversation}: {what}"),
            Self::Feed { cursor, what } => write!(f, "feed, commit {cursor}: {what}"),
            Self::Journal(damage) => write!(f, "journal {damage}"),
            Self::Table { file, keyspace, first_key, last_key } => {
                write!(f, "table file {} of keyspace {keyspace}, keys {first_key} to {last_key}: its checksum is wrong", file.display())
            }
            Self::Engine { what } => f.write_str(what),
        }
    }
}
