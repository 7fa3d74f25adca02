//! Why a call command was refused, in the words of the one code table (`chat::errors`).

use chat::errors::Code;
use chat::log::{LogError, Refusal};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Never existed, forgotten, or not this person's: the same answer.
    #[error("no such call")]
    Unknown,
    #[error("no such conversation")]
    UnknownConversation,
    #[error("the conversation is not open")]
    NotOpen,
    #[error("the conversation has a live call")]
    InProgress,
    #[error("the call does not ring any more")]
    NotRinging,
    #[error("the call has not been answered")]
    NotAnswered,
    #[error("the call is over")]
    Over,
    #[error("only the other party does this")]
    WrongParty,
    #[error("another device of this person carries the call")]
    OtherDevice,
    #[error("this person is in another call")]
    LineBusy,
    /// The attempt is recorded and over.
    #[error("the callee is in another call")]
    CalleeBusy,
    #[error("this kind of media is not allowed here")]
    MediaNotAllowed,
    #[error("a field is malformed")]
    InvalidField,
    #[error("a session description or candidate is malformed: {0}")]
    Signal(#[from] crate::signal::SignalError),
    #[error("too many commands")]
    RateLimited { retry_after_ms: u32 },
    /// The business said no: a consent is missing, the channel does not include calls.
    #[error("not permitted: {}", .0.as_str())]
    Gate(Code),
    #[error("the log could not be written")]
    Unavailable(Code),
}

impl CallError {
    pub fn code(&self) -> Code {
        match self {
            Self::Unknown => Code::UnknownCall,
            Self::UnknownConversation => Code::UnknownConversation,
            Self::NotOpen => Code::NotOpen,
            Self::InProgress => Code::CallInProgress,
            Self::NotRinging => Code::CallNotRinging,
            Self::NotAnswered => Code::CallNotAnswered,
            Self::Over => Code::CallNotLive,
            Self::WrongParty => Code::CallWrongParty,
            Self::OtherDevice => Code::CallOtherDevice,
            Self::LineBusy => Code::LineBusy,
            Self::CalleeBusy => Code::Busy,
            Self::MediaNotAllowed => Code::CallMediaNotAllowed,
            Self::InvalidField => Code::InvalidField,
            Self::Signal(_) => Code::CallSignalMalformed,
            Self::RateLimited { .. } => Code::RateLimited,
            Self::Gate(code) | Self::Unavailable(code) => *code,
        }
    }

    pub fn retry_after_ms(&self) -> u32 {
        match self {
            Self::RateLimited { retry_after_ms } => *retry_after_ms,
            _ => self.code().retry_after_ms(),
        }
    }

    pub(crate) fn of_log(error: &LogError) -> Self {
        match error {
            LogError::Refused(Refusal::CallInProgress) => Self::InProgress,
            LogError::Refused(Refusal::CallNotRinging) => Self::NotRinging,
            LogError::Refused(Refusal::CallNotLive | Refusal::CallNotAccepted) => Self::Over,
            LogError::Refused(Refusal::NotAMember) | LogError::UnknownConversation => Self::UnknownConversation,
            LogError::Refused(_) => Self::NotOpen,
            // The call's id was used before: that call is over.
            LogError::IdConflict => Self::Over,
            LogError::DiskLow => Self::Unavailable(Code::DiskLow),
            _ => Self::Unavailable(Code::Unavailable),
        }
    }
}
