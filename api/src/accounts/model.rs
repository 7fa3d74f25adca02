//! The words of accounts. What holds a phone, a name or a token prints `***`.

use crate::{column, db::DbError, http::Fields, text_enum};
use chat::ids::{DeviceId, Role, SessionId, TenantId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Mainland mobile number, 11 digits.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phone(String);

impl std::fmt::Debug for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Phone(***)")
    }
}

impl Phone {
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let valid = bytes.len() == 11 && bytes.iter().all(u8::is_ascii_digit) && bytes[0] == b'1' && bytes[1] >= b'3';
        valid.then(|| Self(text.to_owned()))
    }

    /// Parses a field of a request.
    pub(super) fn of_field(text: &str) -> Result<Self, crate::http::Problem> {
        Self::parse(text).ok_or_else(|| {
            let mut fields = Fields::default();
            fields.refuse("phone", "invalid_phone", "应为 11 位手机号");
            fields.finish().err().unwrap_or_else(|| crate::http::codes::INVALID_FIELDS.into())
        })
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `138****0000`.
    pub fn masked(&self) -> String {
        format!("{}****{}", &self.0[..3], &self.0[7..])
    }
}

text_enum! {
    pub enum Sex { Male = "male", Female = "female", Unknown = "unknown" }
}

/// The installation of a client that signs in.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct Device {
    /// Made once by the client and kept.
    #[schema(value_type = uuid::Uuid)]
    pub id: DeviceId,
    /// What its owner reads in the list of his devices: `Chrome · Windows`.
    #[schema(min_length = 1, max_length = 80)]
    pub label: String,
}

/// Answer of every sign-in and refresh.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Bearer token for HTTP and the first frame of the socket.
    pub access_token: String,
    #[schema(value_type = i64)]
    pub access_expires_at: Timestamp,
    /// Used once; null when the device is not to be remembered.
    pub refresh_token: Option<String>,
    #[schema(value_type = uuid::Uuid)]
    pub session_id: SessionId,
    pub user: Me,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session(***)")
    }
}

/// One's own account.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Me {
    #[schema(value_type = uuid::Uuid)]
    pub id: UserId,
    /// `patient`, `doctor` or `staff`.
    #[schema(value_type = String, example = "patient")]
    pub role: Role,
    pub name: Option<String>,
    pub phone_masked: Option<String>,
    pub account: Option<String>,
    pub sex: Option<Sex>,
    /// `1987-05-31`.
    pub birth_date: Option<String>,
    pub avatar_url: Option<String>,
    /// Functions of staff: `reviewer`, `administrator`. Empty for everybody else.
    pub roles: Vec<String>,
}

impl std::fmt::Debug for Me {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Me({} ***)", self.id)
    }
}

/// An account to be made; by registering, by the demo, by administration.
#[derive(Clone)]
pub struct NewAccount {
    pub id: UserId,
    pub tenant: TenantId,
    pub role: Role,
    /// Doctors and staff sign in with it.
    pub account_name: Option<String>,
    pub phone: Option<Phone>,
    pub name: Option<String>,
    pub sex: Option<Sex>,
    pub birth_date: Option<String>,
    /// PHC string of argon2id.
    pub password_hash: Option<String>,
    pub functions: Vec<super::StaffFunction>,
}

impl std::fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewAccount({} ***)", self.id)
    }
}

column!(Role as String, Text, |role| role_text(*role).to_owned(), |raw| role_from(&raw));

fn role_text(role: Role) -> &'static str {
    match role {
        Role::Patient => "patient",
        Role::Doctor => "doctor",
        Role::Staff => "staff",
        Role::Service => "service",
    }
}

fn role_from(text: &str) -> Result<Role, DbError> {
    [Role::Patient, Role::Doctor, Role::Staff].into_iter().find(|role| role_text(*role) == text).ok_or(DbError::Unreadable("Role"))
}
