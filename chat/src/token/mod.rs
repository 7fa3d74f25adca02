//! Access tokens: `wz1.<base64url(claims)>.<base64url(HMAC-SHA256)>`. One form, one algorithm, nothing to negotiate.
//!
//! Checked without SQL, so they are short-lived ([`TOKEN_LIFE_MS_MAX`]); revocation within that time is the hub's business.
//! The mac is compared in constant time before a byte of the claims is parsed, and there is exactly one text per token.

use crate::errors::Code;
use crate::ids::{Role, SessionId, TenantId, Timestamp, UserId};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub const TOKEN_LIFE_MS_MAX: i64 = 10 * 60 * 1000;
/// Issuing and checking node may disagree about the time by this much.
const SKEW_MS: i64 = 30_000;
const TOKEN_BYTES_MAX: usize = 1024;
const PREFIX: &str = "wz1.";

/// What a token says. Nothing personal: whoever holds the token could read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessClaims {
    pub user: UserId,
    pub session: SessionId,
    pub tenant: TenantId,
    pub role: Role,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Wrong form, wrong key, wrong mac, from the future: one answer, so that nothing can be learned from it.
    #[error("the access token is not valid")]
    Invalid,
    #[error("the access token has expired")]
    Expired,
    #[error("an access token lives at most ten minutes")]
    LifeTooLong,
}

impl TokenError {
    pub fn code(self) -> Code {
        match self {
            Self::Expired => Code::TokenExpired,
            Self::Invalid | Self::LifeTooLong => Code::Unauthenticated,
        }
    }
}

/// The signing key and, while it is being replaced, the one before it.
#[derive(Clone)]
pub struct TokenKeys {
    current: Zeroizing<[u8; 32]>,
    previous: Option<Zeroizing<[u8; 32]>>,
}

impl std::fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKeys(***)")
    }
}

impl TokenKeys {
    pub fn new(current: [u8; 32]) -> Self {
        Self { current: Zeroizing::new(current), previous: None }
    }

    /// Tokens of the key before stay valid until they expire.
    pub fn with_previous(mut self, previous: [u8; 32]) -> Self {
        self.previous = Some(Zeroizing::new(previous));
        self
    }

    pub fn mint(&self, claims: &AccessClaims) -> Result<String, TokenError> {
        check_life(claims)?;
        let json = serde_json::to_vec(claims).expect("claims are ids, numbers and a word");
        let signed = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(json));
        let mac = URL_SAFE_NO_PAD.encode(mac_of(&self.current, signed.as_bytes()));
        Ok(format!("{signed}.{mac}"))
    }

    pub fn verify(&self, token: &str, now: Timestamp) -> Result<AccessClaims, TokenError> {
        let claims = self.authentic_claims(token).ok_or(TokenError::Invalid)?;
        check_life(&claims)?;
        if claims.issued_at.since_ms(now) > SKEW_MS {
            return Err(TokenError::Invalid);
        }
        if now >= claims.expires_at {
            return Err(TokenError::Expired);
        }
        Ok(claims)
    }

    fn authentic_claims(&self, token: &str) -> Option<AccessClaims> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let (signed, mac) = token.rsplit_once('.')?;
        let mac: [u8; 32] = URL_SAFE_NO_PAD.decode(mac).ok()?.try_into().ok()?;
        let keys = std::iter::once(&self.current).chain(self.previous.as_ref());
        // No early exit: whether the current or the previous key fits is nobody's business.
        let fits = keys.fold(0, |fits, key| fits | mac_of(key, signed.as_bytes()).ct_eq(&mac).unwrap_u8());
        if fits != 1 {
            return None;
        }
        let json = URL_SAFE_NO_PAD.decode(signed.strip_prefix(PREFIX)?).ok()?;
        serde_json::from_slice(&json).ok()
    }
}

fn check_life(claims: &AccessClaims) -> Result<(), TokenError> {
    match claims.expires_at.since_ms(claims.issued_at) {
        1..=TOKEN_LIFE_MS_MAX => Ok(()),
        _ => Err(TokenError::LifeTooLong),
    }
}

fn mac_of(key: &[u8; 32], signed: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(signed);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests;
