//! Consultations (问诊): from the intake to the closed conversation.
//!
//! So far the pure parts: the state machine of DOMAIN D.1, the rules it lives by, the intake and the consents.

pub(crate) mod intake;
mod machine;
#[cfg(test)]
mod machine_tests;
mod notice;
pub(crate) mod rules;

pub use machine::{Closed, Event, Expiry, Outcome, Refused, Reply, State, Terms, Visit, WORDS};
pub use notice::{AV_NOTICE, Consent, ConsentFlaw, Given, INFORMED_CONSENT, InForce, SCOPE_NOTICE, check, hex, required, unhex};
pub use rules::{Channel, Kind, Rules, TERMINATE_REASONS_VERSION, TerminateReason};
