//! Identity words: UUIDv7 newtypes, text on the wire and in JSON, 16 bytes in the stores.
//!
//! Ids are made by [`crate::entropy::Entropy`] or by a client; nothing here reads a clock.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Why a text is not an id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a UUID: an id is 36 characters, like 0190a5c8-7c1e-7b3a-9f0e-2f4b8d1c6a55")]
pub struct InvalidId;

/// Declares an id newtype over [`Uuid`].
#[macro_export]
macro_rules! define_id {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub uuid::Uuid);

        impl $name {
            pub const NIL: Self = Self(uuid::Uuid::nil());
            pub fn as_bytes(&self) -> &[u8; 16] { self.0.as_bytes() }
            pub fn from_bytes(bytes: [u8; 16]) -> Self { Self(uuid::Uuid::from_bytes(bytes)) }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { std::fmt::Display::fmt(&self.0, f) }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { std::fmt::Display::fmt(&self.0, f) }
        }
        impl std::str::FromStr for $name {
            type Err = $crate::ids::InvalidId;
            fn from_str(text: &str) -> Result<Self, Self::Err> { $crate::ids::parse(text).map(Self) }
        }
        impl From<uuid::Uuid> for $name {
            fn from(id: uuid::Uuid) -> Self { Self(id) }
        }
    )+};
}

/// Hyphenated form only: one text per id, so that comparing texts is comparing ids.
pub fn parse(text: &str) -> Result<Uuid, InvalidId> {
    if text.len() != 36 {
        return Err(InvalidId);
    }
    Uuid::from_str(text).map_err(|_| InvalidId)
}

define_id! {
    /// Hospital (租户). Every row that belongs to a hospital carries it.
    TenantId;
    /// A person with an account (用户): patient, doctor or staff.
    UserId;
    /// One sign-in on one device (登录会话); refresh tokens of one session form a family.
    SessionId;
    /// An installation of a client (设备).
    DeviceId;
    /// The message log of a consultation (会话). Not the consultation itself.
    ConversationId;
    /// Made by the sender; unique per (conversation, sender).
    MessageId;
    /// A call (通话) within a conversation.
    CallId;
    /// A server process.
    NodeId;
}

/// Milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
    pub fn since_ms(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}

/// What a person is to the system. What he is in one conversation is [`crate::wire::SenderRole`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Patient,
    Doctor,
    /// Reviewers, desk officers, administrators: functions come from SQL, not from the token.
    Staff,
    /// The server's own machinery and demo tools.
    Service,
}
