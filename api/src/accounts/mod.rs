//! Accounts: registering, signing in and out, sessions with rotating refresh tokens, one's own data.
//!
//! | who | may |
//! |---|---|
//! | anybody | ask for an SMS code, register, sign in as patient or on the staff door, refresh |
//! | signed in | see and end his sessions, read and change his name and password |
//!
//! An answer never tells whether a number is registered, nor does its timing. Patients and staff have separate doors (ACC-14).
//! Nobody can lock out a device on which the owner has signed in before.

mod lockout;
mod login;
mod me;
mod model;
mod passwords;
mod people;
mod queries;
mod register;
mod revocation;
mod sessions;
mod sms;
mod sms_codes;
mod staff;
mod tokens;

pub use model::{Device, Me, NewAccount, Phone, Session, Sex};
pub use passwords::Passwords;
pub use people::{Person, find_person_unscoped};
pub use queries::insert_account;
pub use revocation::Revoked;
pub(crate) use revocation::poll_revocations;
pub use sms::{Sms, SmsMessage};
pub use staff::StaffFunction;
pub(crate) use staff::has_function;
pub(crate) use tokens::open_session_unproven;

use crate::{Slice, outbox::Topic, state::App};
use utoipa_axum::{router::OpenApiRouter, routes};

pub const SLICE: Slice = Slice {
    routes,
    topics: &[Topic { name: sms_codes::TOPIC, handle: |app, message| Box::pin(sms_codes::send(app, message)), inline: false }],
    timers: &[],
};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sms_codes::request_code))
        .routes(routes!(register::register))
        .routes(routes!(login::login))
        .routes(routes!(login::login_by_sms))
        .routes(routes!(login::login_staff))
        .routes(routes!(sessions::refresh))
        .routes(routes!(sessions::logout))
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::end))
        .routes(routes!(me::get, me::change))
        .routes(routes!(me::change_password))
}

#[cfg(test)]
mod tests;
