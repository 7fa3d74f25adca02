//! Why a socket was closed, and what the client should do about it.
//!
//! The reason text of a close frame is `name` or `name;within_ms=N`: the client waits a uniformly random time up to N before it
//! reconnects, so that a node that goes away does not send all its people to the next one in the same second.

use super::Code;

/// What a client does after a close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reconnect {
    /// With the token it holds.
    Yes,
    /// Only with a newer access token.
    WithNewToken,
    /// Not by itself: the person or the programmer has to act.
    No,
}

macro_rules! close_codes {
    ($($variant:ident = $number:literal, $name:literal, $reconnect:ident, $within_ms:literal, $meaning:literal;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum CloseCode { $(#[doc = $meaning] $variant,)+ }

        impl CloseCode {
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// 1000–1015 by RFC 6455, ours from 4000.
            pub fn number(self) -> u16 {
                match self { $(Self::$variant => $number,)+ }
            }
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
            pub fn reconnect(self) -> Reconnect {
                match self { $(Self::$variant => Reconnect::$reconnect,)+ }
            }
            /// Default window of the random wait before a reconnect; the reason text may name another.
            pub fn within_ms(self) -> u32 {
                match self { $(Self::$variant => $within_ms,)+ }
            }
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }
        }
    };
}

close_codes! {
    Normal = 1000, "normal", No, 0, "the client closed";
    ProtocolError = 1002, "protocol_error", No, 0, "a frame broke RFC 6455";
    InvalidPayload = 1007, "invalid_payload", No, 0, "a text frame is not UTF-8";
    TooBig = 1009, "too_big", No, 0, "a frame is larger than record_bytes_max";
    Internal = 1011, "internal", Yes, 10_000, "something went wrong on our side";
    Drain = 4000, "drain", Yes, 10_000, "this node goes away; another one is there";
    HelloTimeout = 4001, "hello_timeout", Yes, 5_000, "no hello within 5 s";
    Unauthenticated = 4002, "unauthenticated", WithNewToken, 1_000, "the access token in hello is not valid";
    TokenExpired = 4003, "token_expired", WithNewToken, 1_000, "the access token has expired, in hello or for want of a refresh";
    Revoked = 4004, "revoked", No, 0, "the session was signed out or the account stopped";
    Malformed = 4005, "malformed", No, 0, "a record is not in the form of the schema";
    HelloExpected = 4006, "hello_expected", No, 0, "something came before hello";
    HeartbeatLost = 4007, "heartbeat_lost", Yes, 2_000, "nothing was heard from the client for two pings";
    NoProgress = 4008, "no_progress", Yes, 5_000, "the client took nothing for 30 s";
    Abuse = 4009, "abuse", Yes, 30_000, "limits were exceeded again and again";
    Replaced = 4010, "replaced", No, 0, "the same person opened more sockets than allowed; the oldest goes";
    Overloaded = 4011, "overloaded", Yes, 15_000, "too many people arrive at once";
}

impl CloseCode {
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.number() == number)
    }

    /// Text of the close frame, at most 123 bytes by RFC 6455.
    pub fn reason(self, within_ms: u32) -> String {
        match self.reconnect() {
            Reconnect::No => self.name().to_owned(),
            Reconnect::Yes | Reconnect::WithNewToken => format!("{};within_ms={within_ms}", self.name()),
        }
    }

    /// How a refused token closes a socket.
    pub fn of_refused_token(code: Code) -> Self {
        match code {
            Code::TokenExpired => Self::TokenExpired,
            Code::SessionRevoked => Self::Revoked,
            _ => Self::Unauthenticated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_and_names_are_distinct_and_reasons_fit_a_close_frame() {
        let numbers: HashSet<_> = CloseCode::ALL.iter().map(|code| code.number()).collect();
        let names: HashSet<_> = CloseCode::ALL.iter().map(|code| code.name()).collect();
        assert_eq!((numbers.len(), names.len()), (CloseCode::ALL.len(), CloseCode::ALL.len()));
        for code in CloseCode::ALL {
            assert!(code.reason(u32::MAX).len() <= 123);
            assert_eq!(CloseCode::from_number(code.number()), Some(*code));
        }
    }

    #[test]
    fn only_codes_that_invite_back_have_a_window() {
        for code in CloseCode::ALL {
            assert_eq!(code.reconnect() == Reconnect::No, code.within_ms() == 0, "{code:?}");
        }
    }
}
