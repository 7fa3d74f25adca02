//! Why the log did not do it. `Damaged` and `Poisoned` are the ones a person has to look at.

use super::guard::Refusal;
use crate::ids::ConversationId;
use crate::seal::KeyError;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("refused: {}", .0.code())]
    Refused(Refusal),
    #[error("the message id was used before with another body")]
    IdConflict,
    #[error("no such conversation")]
    UnknownConversation,
    #[error("a body may have {max} bytes")]
    TooLarge { max: usize },
    #[error("one append takes at most {max} entries")]
    TooMany { max: usize },
    #[error("the body cannot be applied: {0}")]
    Malformed(&'static str),
    #[error("too little free disk space: nothing is accepted until some is freed")]
    DiskLow,
    #[error("a write or sync failed; nothing is accepted until a restart")]
    Poisoned,
    #[error("the log is closing")]
    Stopped,
    #[error("stored data is damaged: {what}")]
    Damaged { conversation: Option<ConversationId>, seq: Option<u64>, what: String },
    #[error(
        "the last {bytes} bytes of {}, from byte {offset} on, are a batch that is not as it was written: torn by a power loss, or damaged. \
         Nothing was changed. `wenzhen repair` moves it to a side file if no anchored commit is in it; `wenzhen verify` tells the rest",
        file.display()
    )]
    TornTail { file: PathBuf, offset: usize, bytes: usize },
    #[error("another process has it open")]
    InUse,
    #[error("the conversation's key")]
    Key(#[source] KeyError),
    #[error("the storage engine, while {doing}")]
    Engine {
        doing: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("a file of the log, while {doing}")]
    Io {
        doing: &'static str,
        #[source]
        source: std::io::Error,
    },
}

impl LogError {
    /// Stable word of the socket and HTTP tables.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::IdConflict => "id_conflict",
            Self::UnknownConversation => "unknown_conversation",
            Self::TooLarge { .. } => "too_large",
            Self::TooMany { .. } => "too_many",
            Self::Malformed(_) => "malformed_body",
            Self::DiskLow => "disk_low",
            Self::Poisoned => "log_poisoned",
            Self::Stopped => "shutting_down",
            Self::Damaged { .. } | Self::TornTail { .. } => "log_damaged",
            Self::Key(KeyError::Destroyed) => "erased",
            Self::Key(KeyError::Unavailable(_)) => "key_unavailable",
            Self::InUse | Self::Engine { .. } | Self::Io { .. } => "internal",
        }
    }

    /// Whether the same request may succeed later without anybody changing it.
    pub fn temporary(&self) -> bool {
        match self {
            Self::DiskLow | Self::Poisoned | Self::Stopped | Self::Key(KeyError::Unavailable(_)) => true,
            Self::Refused(_)
            | Self::IdConflict
            | Self::UnknownConversation
            | Self::TooLarge { .. }
            | Self::TooMany { .. }
            | Self::Malformed(_)
            | Self::Damaged { .. }
            | Self::TornTail { .. }
            | Self::InUse
            | Self::Key(KeyError::Destroyed)
            | Self::Engine { .. }
            | Self::Io { .. } => false,
        }
    }

    pub(crate) fn damaged(conversation: ConversationId, seq: u64, what: impl Into<String>) -> Self {
        Self::Damaged { conversation: Some(conversation), seq: Some(seq), what: what.into() }
    }

    pub(crate) fn engine(doing: &'static str) -> impl FnOnce(fjall::Error) -> Self {
        move |source| Self::Engine { doing, source: Box::new(source) }
    }

    pub(crate) fn io(doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }
}
