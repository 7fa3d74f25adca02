//! The texts that are signed, and the check of what the platform signed, on raw bytes before anything is parsed.
//!
//! A [`Verified`] body exists only if the signature, its key and its time were right: decryption and parsing ask for one.
//! An answer without a signature is forged, whatever its status says.

use super::{RsaSigner, TrustedKeys};
use chat::ids::Timestamp;
use http::HeaderMap;

pub const SCHEMA: &str = "WECHATPAY2-SHA256-RSA2048";
/// A signed text is believed for this long on either side of now.
pub const FRESH_S: i64 = 300;
/// Signatures that begin so are the platform's own probes: they have to fail.
const PROBE: &str = "WECHATPAY/SIGNTEST/";

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the signature headers are missing or not readable")]
    Unsigned,
    #[error("a signature probe of the platform")]
    Probe,
    #[error("the signed time is more than five minutes away from now")]
    Stale,
    #[error("signed with a key we do not know")]
    UnknownSerial,
    #[error("the signature does not belong to this text")]
    Forged,
    #[error("our own key could not sign")]
    CannotSign,
}

impl SignatureError {
    pub fn code(self) -> &'static str {
        match self {
            Self::Unsigned => "signature_missing",
            Self::Probe => "signature_probe",
            Self::Stale => "signature_stale",
            Self::UnknownSerial => "signature_serial_unknown",
            Self::Forged => "signature_invalid",
            Self::CannotSign => "signature_unavailable",
        }
    }
}

/// Five lines, each with its line end; the body line stays even when it is empty.
pub fn request_text(method: &str, path_and_query: &str, timestamp_s: i64, nonce: &str, body: &[u8]) -> Vec<u8> {
    let mut text = format!("{method}\n{path_and_query}\n{timestamp_s}\n{nonce}\n").into_bytes();
    text.extend_from_slice(body);
    text.push(b'\n');
    text
}

/// Three lines: what answers and notices are signed over.
pub fn answer_text(timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    let mut text = format!("{timestamp}\n{nonce}\n").into_bytes();
    text.extend_from_slice(body);
    text.push(b'\n');
    text
}

/// The `Authorization` header of a request.
pub fn authorization(
    signer: &RsaSigner,
    mchid: &str,
    request: (&str, &str, &[u8]),
    timestamp_s: i64,
    nonce: &str,
) -> Result<String, SignatureError> {
    let (method, path_and_query, body) = request;
    let signature = signer.sign(&request_text(method, path_and_query, timestamp_s, nonce, body))?;
    let serial = signer.serial();
    Ok(format!(
        "{SCHEMA} mchid=\"{mchid}\",nonce_str=\"{nonce}\",timestamp=\"{timestamp_s}\",serial_no=\"{serial}\",signature=\"{signature}\""
    ))
}

/// What the WeChat client needs to call up the payment (JSAPI): the fields in the order they are signed.
pub fn pay_sign(signer: &RsaSigner, appid: &str, timestamp_s: i64, nonce: &str, package: &str) -> Result<String, SignatureError> {
    signer.sign(format!("{appid}\n{timestamp_s}\n{nonce}\n{package}\n").as_bytes())
}

/// A body whose signature was checked.
#[derive(Debug)]
pub struct Verified<'a> {
    body: &'a [u8],
    nonce: &'a str,
    serial: &'a str,
}

impl<'a> Verified<'a> {
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// Together with [`Self::serial`] it names this very delivery: a second one is a replay.
    pub fn nonce(&self) -> &'a str {
        self.nonce
    }

    pub fn serial(&self) -> &'a str {
        self.serial
    }
}

/// Checks what the platform said. The order matters: nothing is compared with a key before the cheap refusals.
pub fn verify<'a>(keys: &TrustedKeys, headers: &'a HeaderMap, body: &'a [u8], now: Timestamp) -> Result<Verified<'a>, SignatureError> {
    let timestamp = single(headers, "wechatpay-timestamp")?;
    let nonce = single(headers, "wechatpay-nonce")?;
    let serial = single(headers, "wechatpay-serial")?;
    let signature = single(headers, "wechatpay-signature")?;
    if signature.starts_with(PROBE) {
        return Err(SignatureError::Probe);
    }
    let at_s: i64 = timestamp.parse().map_err(|_| SignatureError::Unsigned)?;
    if (now.0.div_euclid(1_000)).saturating_sub(at_s).unsigned_abs() >= FRESH_S.unsigned_abs() {
        return Err(SignatureError::Stale);
    }
    keys.check(serial, &answer_text(timestamp, nonce, body), signature)?;
    Ok(Verified { body, nonce, serial })
}

/// Exactly one value: two of a kind is somebody trying which one we read.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, SignatureError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok().filter(|text| !text.is_empty()).ok_or(SignatureError::Unsigned),
        _ => Err(SignatureError::Unsigned),
    }
}
