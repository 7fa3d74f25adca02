//! Consents: which notices a person must have accepted, in which version, and what was given (REG-07, CON-08, CON-23).
//!
//! The texts belong to the catalogue; a consent names version and hash, so that what was shown can be proved later.

use super::rules::Kind;
use chat::ids::{Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub const SCOPE_NOTICE: &str = "scope_notice";
pub const INFORMED_CONSENT: &str = "informed_consent";
pub const AV_NOTICE: &str = "av_notice";

/// As the client sends it: what the person saw when he said yes.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// `NoticeKind`.
    pub kind: String,
    pub version: String,
    /// Hexadecimal SHA-256 of the text, as `GET /api/notices` gave it.
    pub text_hash: String,
}

/// A notice as it is in force.
#[derive(Clone, Debug)]
pub struct InForce {
    pub kind: &'static str,
    pub version: String,
    pub text_hash: String,
}

/// A consent that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    pub user: UserId,
    pub kind: String,
    pub version: String,
    pub text_hash: Vec<u8>,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentFlaw {
    Missing(&'static str),
    /// The text has changed since: it has to be read again.
    Outdated(&'static str),
}

/// Every consultation: the scope notice (CON-23) and the informed consent (REG-07).
pub fn required(_kind: Kind) -> [&'static str; 2] {
    [SCOPE_NOTICE, INFORMED_CONSENT]
}

/// Compares what was accepted with what is in force; the consents to store, or the first flaw.
pub fn check(
    required: &[&'static str],
    in_force: &[InForce],
    accepted: &[Consent],
    user: UserId,
    now: Timestamp,
) -> Result<Vec<Given>, ConsentFlaw> {
    required
        .iter()
        .map(|kind| {
            let notice = in_force.iter().find(|notice| notice.kind == *kind).ok_or(ConsentFlaw::Missing(kind))?;
            let consent = accepted.iter().find(|consent| consent.kind == *kind).ok_or(ConsentFlaw::Missing(kind))?;
            if consent.version != notice.version || !consent.text_hash.eq_ignore_ascii_case(&notice.text_hash) {
                return Err(ConsentFlaw::Outdated(kind));
            }
            let text_hash = unhex(&notice.text_hash).ok_or(ConsentFlaw::Outdated(kind))?;
            Ok(Given { user, kind: (*kind).to_owned(), version: notice.version.clone(), text_hash, at: now })
        })
        .collect()
}

pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_force() -> Vec<InForce> {
        let notice = |kind| InForce { kind, version: "2".into(), text_hash: "ab01".into() };
        vec![notice(SCOPE_NOTICE), notice(INFORMED_CONSENT)]
    }

    fn accepted(version: &str, hash: &str) -> Vec<Consent> {
        required(Kind::Advice)
            .iter()
            .map(|kind| Consent { kind: (*kind).into(), version: version.into(), text_hash: hash.into() })
            .collect()
    }

    /// REG-07, CON-23: both notices, in the version and wording that are in force.
    #[test]
    fn reg_07_consents_name_the_text_in_force() {
        let check = |accepted: &[Consent]| check(&required(Kind::Advice), &in_force(), accepted, UserId::NIL, Timestamp(7));
        let given = check(&accepted("2", "AB01")).unwrap();
        assert_eq!((given.len(), given[0].text_hash.as_slice(), given[0].at), (2, &[0xab, 1][..], Timestamp(7)));
        assert_eq!(check(&accepted("1", "ab01")), Err(ConsentFlaw::Outdated(SCOPE_NOTICE)));
        assert_eq!(check(&accepted("2", "ab02")), Err(ConsentFlaw::Outdated(SCOPE_NOTICE)));
        assert_eq!(check(&accepted("2", "ab01")[..1]), Err(ConsentFlaw::Missing(INFORMED_CONSENT)));
        assert_eq!(check(&[]), Err(ConsentFlaw::Missing(SCOPE_NOTICE)));
    }
}
