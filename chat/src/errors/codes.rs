//! What can be wrong with one request. One row per code; a new code is a new row and nothing else.

use crate::wire;

macro_rules! codes {
    ($($variant:ident = $code:literal, $status:literal, $temporary:literal, $retry_ms:literal, $message:literal;)+) => {
        /// A stable snake_case code with its consequences.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $message] $variant,)+ }

        impl Code {
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }
            /// What HTTP answers beside the word.
            pub fn http_status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }
            /// The same request may succeed later, unchanged.
            pub fn temporary(self) -> bool {
                match self { $(Self::$variant => $temporary,)+ }
            }
            /// When to try again unless the answer names another moment; 0 = there is none, or at once.
            pub fn retry_after_ms(self) -> u32 {
                match self { $(Self::$variant => $retry_ms,)+ }
            }
            /// For developers, in English. People read what the client says about the code in their language.
            pub fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)+ }
            }
        }
    };
}

codes! {
    // Of the request itself.
    Malformed = "malformed", 400, false, 0, "the request is not in the form of the schema";
    UnknownCommand = "unknown_command", 400, false, 0, "the server does not know this kind of command";
    InvalidField = "invalid_field", 422, false, 0, "a field has a value outside its limits";
    TooLarge = "too_large", 413, false, 0, "the record or body is larger than allowed";
    TooMany = "too_many", 422, false, 0, "more items than allowed in one request";
    MalformedBody = "malformed_body", 422, false, 0, "the entry's body cannot be applied to the conversation";
    ServerOnly = "server_only", 403, false, 0, "only the server appends entries of this kind";
    MethodNotAllowed = "method_not_allowed", 405, false, 0, "this path does not answer to this method";
    UnsupportedMediaType = "unsupported_media_type", 415, false, 0, "content of this type is not accepted";

    // Of the person.
    Unauthenticated = "unauthenticated", 401, false, 0, "no valid access token";
    TokenExpired = "token_expired", 401, false, 0, "the access token has expired; refresh it";
    SessionRevoked = "session_revoked", 401, false, 0, "the session was signed out; sign in again";
    CredentialsWrong = "credentials_wrong", 401, false, 0, "account, password or code do not fit";
    NotPermitted = "not_permitted", 403, false, 0, "this person may not do this";
    AlreadyAuthenticated = "already_authenticated", 409, false, 0, "hello comes once; use refresh";

    // Of the object. Foreign and never-existed objects answer alike.
    NotFound = "not_found", 404, false, 0, "no such object, or not for this person";
    UnknownConversation = "unknown_conversation", 404, false, 0, "no such conversation, or not for this person";
    UnknownCall = "unknown_call", 404, false, 0, "no such call, or not for this person";
    UnknownAttachment = "unknown_attachment", 404, false, 0, "no such attachment, or not for this person";

    // Of the state.
    IdConflict = "id_conflict", 409, false, 0, "this id was used with another body";
    IdempotencyConflict = "idempotency_conflict", 409, false, 0, "this Idempotency-Key was used with another body";
    VersionConflict = "version_conflict", 409, false, 0, "somebody else saved a newer version";
    InvalidTransition = "invalid_transition", 409, false, 0, "the object's state does not allow this";
    NotOpen = "conversation_not_open", 409, false, 0, "the conversation is not open for this person to speak";
    ConversationClosed = "conversation_closed", 409, false, 0, "the conversation is closed";
    ConversationFull = "conversation_full", 409, false, 0, "the conversation holds as many entries as it can";
    WrongState = "wrong_state", 409, false, 0, "the conversation's state does not allow this";
    TooManyMembers = "too_many_members", 409, false, 0, "the conversation has as many memberships as it can";
    RecallTooOld = "recall_too_old", 409, false, 0, "the two minutes in which this entry could be recalled have passed";
    NotRecallable = "not_recallable", 409, false, 0, "only one's own messages are recalled, and a recall is not";
    Erased = "erased", 410, false, 0, "the key of this conversation was destroyed; nobody can read or write it any more";
    CallInProgress = "call_in_progress", 409, false, 0, "the conversation has a live call already";
    CallNotRinging = "call_not_ringing", 409, false, 0, "the call does not ring any more";
    CallNotLive = "call_not_live", 409, false, 0, "the call is over";
    CallNotAccepted = "call_not_accepted", 409, false, 0, "the call was not accepted";
    CallNotAnswered = "call_not_answered", 409, false, 0, "the call has not been answered yet";
    CallWrongParty = "call_wrong_party", 403, false, 0, "only the other party of the call does this";
    CallOtherDevice = "call_other_device", 409, false, 0, "another device of this person carries the call; attach to take it over";
    CallSignalMalformed = "call_signal_malformed", 422, false, 0, "a session description or candidate is not in its form or too large";
    CallMediaNotAllowed = "call_media_not_allowed", 409, false, 0, "a call goes from video to voice, not back";
    ConsentRequired = "consent_required", 409, false, 0, "both have to accept the notice for voice and video first";
    NoCalls = "no_calls", 409, false, 0, "the consultation does not include calls of this kind";
    LineBusy = "line_busy", 409, false, 0, "this person is in another call";
    Busy = "busy", 409, false, 0, "the other party is in another call";
    StaleHead = "stale_head", 409, true, 0, "the conversation moved meanwhile; look again";

    // Of the moment.
    RateLimited = "rate_limited", 429, true, 1_000, "too many requests; slow down";
    SmsTooSoon = "sms_too_soon", 429, true, 60_000, "a code was sent to this number less than a minute ago";
    QuotaExceeded = "quota_exceeded", 429, true, 3_600_000, "the quota of this person is used up for now";
    DiskLow = "disk_low", 503, true, 30_000, "the server has too little free space to promise durability";
    Unavailable = "unavailable", 503, true, 2_000, "the server cannot do this at the moment";
    ShuttingDown = "shutting_down", 503, true, 2_000, "this node goes away; another one is there";
    LogPoisoned = "log_poisoned", 503, true, 5_000, "a write failed and nothing is promised any more until a restart";
    KeyUnavailable = "key_unavailable", 503, true, 5_000, "the key of this conversation cannot be fetched now";
    Timeout = "timeout", 504, true, 1_000, "no answer in time; whether it was done is unknown, the same id is safe to repeat";
    LogDamaged = "log_damaged", 500, false, 0, "what is stored does not verify; an operator has to look";
    Internal = "internal", 500, true, 5_000, "something went wrong on our side";
}

impl Code {
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == word)
    }

    /// As a client is told. That somebody is not a member of an existing conversation is said like "no such conversation".
    #[cfg(feature = "server")]
    pub fn of_log_error(error: &crate::log::LogError) -> Self {
        use crate::log::{LogError, Refusal};
        match error {
            LogError::Refused(Refusal::NotAMember) => Self::UnknownConversation,
            other => Self::from_word(other.code()).unwrap_or(Self::Internal),
        }
    }

    /// The event that answers a command; `re` and `conversation` name what it answers.
    pub fn to_event(self, re: &str, conversation: &str) -> wire::Event {
        self.to_event_saying(self.message(), re, conversation)
    }

    /// The same with a message that names the field. Never put into it what the client sent.
    pub fn to_event_saying(self, message: &str, re: &str, conversation: &str) -> wire::Event {
        wire::Error {
            code: self.as_str().into(),
            message: message.into(),
            temporary: self.temporary(),
            retry_after_ms: self.retry_after_ms(),
            re: re.into(),
            conversation: conversation.into(),
        }
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_distinct_snake_case_words() {
        let words: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!(code.as_str().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{code:?}");
            assert_eq!(Code::from_word(code.as_str()), Some(*code));
        }
    }

    #[cfg(feature = "server")]
    #[test]
    fn every_word_of_the_log_is_in_the_table() {
        use crate::log::Refusal::*;
        let refusals = [NotOpen, Closed, WrongState, CallInProgress, CallNotRinging, CallNotLive, CallNotAccepted, StaleHead, Full];
        for refusal in refusals.into_iter().chain([TooManyMembers, TooOld, NotRecallable]) {
            assert_eq!(Code::from_word(refusal.code()).map(Code::as_str), Some(refusal.code()));
        }
        let refused = crate::log::LogError::Refused(NotAMember);
        assert_eq!(Code::of_log_error(&refused), Code::of_log_error(&crate::log::LogError::UnknownConversation));
        for word in [
            "id_conflict",
            "too_large",
            "too_many",
            "malformed_body",
            "disk_low",
            "log_poisoned",
            "shutting_down",
            "log_damaged",
            "erased",
            "key_unavailable",
        ] {
            assert!(Code::from_word(word).is_some(), "{word}");
        }
    }

    #[test]
    fn only_temporary_codes_name_a_moment_to_retry() {
        for code in Code::ALL {
            assert!(code.temporary() || code.retry_after_ms() == 0, "{code:?}");
            assert!((400..600).contains(&code.http_status()), "{code:?}");
        }
    }
}
