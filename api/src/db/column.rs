//! Which Rust types may stand in a column or behind a placeholder, and how: a closed list, the same on both engines.
//!
//! Stored forms: `BLOB`/`UUID` (ids), `INTEGER`/`BIGINT` (numbers, milliseconds, fen), `INTEGER`/`BOOLEAN`, `TEXT`, `BLOB`/`BYTEA`.
//! A null is bound with its type, because PostgreSQL wants to know.

use super::{DbError, Row, row::At};
use chat::ids::{CallId, ConversationId, DeviceId, MessageId, NodeId, SessionId, TenantId, Timestamp, UserId};
use uuid::Uuid;

/// What is bound to a placeholder.
#[derive(Clone)]
pub enum Value {
    Int(Option<i64>),
    Bool(Option<bool>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    Id(Option<Uuid>),
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Value(***)")
    }
}

/// Something that can be bound.
pub trait Parameter {
    fn to_value(&self) -> Value;
}

/// Something that can be read from a row.
pub trait Column: Sized {
    fn read(row: &Row, at: At<'_>) -> Result<Self, DbError>;
}

impl<T: Parameter + ?Sized> Parameter for &T {
    fn to_value(&self) -> Value {
        (**self).to_value()
    }
}

impl Parameter for str {
    fn to_value(&self) -> Value {
        Value::Text(Some(self.to_owned()))
    }
}

impl Parameter for Option<&str> {
    fn to_value(&self) -> Value {
        Value::Text(self.map(str::to_owned))
    }
}

impl Parameter for [u8] {
    fn to_value(&self) -> Value {
        Value::Bytes(Some(self.to_vec()))
    }
}

impl<const N: usize> Parameter for [u8; N] {
    fn to_value(&self) -> Value {
        Value::Bytes(Some(self.to_vec()))
    }
}

/// Makes a type a column by two conversions to and from a stored type, nullable and not.
#[macro_export]
macro_rules! column {
    ($type:ty as $stored:ty, $variant:ident, |$this:ident| $store:expr, |$raw:ident| $load:expr) => {
        impl $crate::db::Parameter for $type {
            fn to_value(&self) -> $crate::db::Value {
                let $this = self;
                $crate::db::Value::$variant(Some($store))
            }
        }
        impl $crate::db::Parameter for Option<$type> {
            fn to_value(&self) -> $crate::db::Value {
                $crate::db::Value::$variant(self.as_ref().map(|$this| $store))
            }
        }
        impl $crate::db::Column for $type {
            fn read(row: &$crate::db::Row, at: $crate::db::At<'_>) -> Result<Self, $crate::db::DbError> {
                let $raw: $stored = row.raw(at)?;
                $load
            }
        }
        impl $crate::db::Column for Option<$type> {
            fn read(row: &$crate::db::Row, at: $crate::db::At<'_>) -> Result<Self, $crate::db::DbError> {
                let raw: Option<$stored> = row.raw(at)?;
                raw.map(|$raw| $load).transpose()
            }
        }
    };
}

/// Makes id newtypes columns: `id_columns!(DoctorId, DepartmentId)`.
#[macro_export]
macro_rules! id_columns {
    ($($name:ty),+ $(,)?) => {$(
        $crate::column!($name as uuid::Uuid, Id, |id| id.0, |raw| Ok(<$name>::from(raw)));
    )+};
}

/// A closed set of snake_case words: in a TEXT column, in JSON and in the OpenAPI schema the same.
///
/// `tt`, not `literal`: utoipa does not see a literal through the invisible group around it, and would document `Chief`.
///
/// ```ignore
/// text_enum! { pub enum Title { Chief = "chief", Attending = "attending" } }
/// ```
#[macro_export]
macro_rules! text_enum {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:tt),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        $vis enum $name { $($(#[$variant_meta])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            pub fn as_str(self) -> &'static str { match self { $(Self::$variant => $text),+ } }
            pub fn from_text(text: &str) -> Option<Self> { match text { $($text => Some(Self::$variant),)+ _ => None } }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }
        $crate::column!($name as String, Text, |word| word.as_str().to_owned(), |raw| {
            <$name>::column_from_text(&raw)
        });
        impl $name {
            fn column_from_text(text: &str) -> Result<Self, $crate::db::DbError> {
                Self::from_text(text).ok_or($crate::db::DbError::Unreadable(stringify!($name)))
            }
        }
    };
}

column!(i64 as i64, Int, |number| *number, |raw| Ok(raw));
column!(i32 as i64, Int, |number| i64::from(*number), |raw| i32::try_from(raw).map_err(|_| DbError::Unreadable("i32")));
column!(u32 as i64, Int, |number| i64::from(*number), |raw| u32::try_from(raw).map_err(|_| DbError::Unreadable("u32")));
column!(u64 as i64, Int, |number| i64::try_from(*number).unwrap_or(i64::MAX), |raw| u64::try_from(raw)
    .map_err(|_| DbError::Unreadable("u64")));
column!(Timestamp as i64, Int, |at| at.0, |raw| Ok(Timestamp(raw)));
column!(bool as bool, Bool, |flag| *flag, |raw| Ok(raw));
column!(String as String, Text, |text| text.clone(), |raw| Ok(raw));
column!(Vec<u8> as Vec<u8>, Bytes, |bytes| bytes.clone(), |raw| Ok(raw));
column!(Uuid as Uuid, Id, |id| *id, |raw| Ok(raw));
id_columns!(TenantId, UserId, SessionId, DeviceId, ConversationId, MessageId, CallId, NodeId);
