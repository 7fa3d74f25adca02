//! Keys of the WeChat Pay v3 dialogue: ours to sign requests, the platform's to check what it says.
//!
//! Nothing here prints or leaks a key: `Debug` shows the serial only. During a key change the platform signs with two
//! keys for a while, so its keys are a set by serial (a certificate serial or a public key id).

use super::SignatureError;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use rsa::{
    RsaPrivateKey, RsaPublicKey,
    pkcs1v15::{Signature, SigningKey, VerifyingKey},
    pkcs8::{DecodePrivateKey, DecodePublicKey},
    sha2::Sha256,
    signature::{SignatureEncoding, Signer, Verifier},
};
use std::{collections::BTreeMap, fmt};

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the private key is not a PKCS#8 RSA key in PEM")]
    Private,
    #[error("the public key of {serial} is not an RSA key in PEM")]
    Public { serial: String },
    #[error("an APIv3 key has 32 bytes")]
    ApiV3,
}

/// An RSA key that signs, and the serial that names it to the other side.
#[derive(Clone)]
pub struct RsaSigner {
    serial: String,
    key: SigningKey<Sha256>,
}

impl RsaSigner {
    pub fn new(serial: &str, key: RsaPrivateKey) -> Self {
        Self { serial: serial.to_owned(), key: SigningKey::new(key) }
    }

    pub fn from_pem(serial: &str, pem: &str) -> Result<Self, KeyError> {
        let key = RsaPrivateKey::from_pkcs8_pem(pem).map_err(|_| KeyError::Private)?;
        Ok(Self::new(serial, key))
    }

    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// SHA256-with-RSA PKCS#1 v1.5, Base64.
    pub fn sign(&self, message: &[u8]) -> Result<String, SignatureError> {
        let signature = self.key.try_sign(message).map_err(|_| SignatureError::CannotSign)?;
        Ok(BASE64.encode(signature.to_bytes()))
    }
}

impl fmt::Debug for RsaSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RsaSigner").field("serial", &self.serial).finish_non_exhaustive()
    }
}

/// The other side's public keys by serial.
#[derive(Clone, Default)]
pub struct TrustedKeys {
    keys: BTreeMap<String, VerifyingKey<Sha256>>,
}

impl TrustedKeys {
    pub fn with(mut self, serial: &str, key: RsaPublicKey) -> Self {
        self.keys.insert(serial.to_owned(), VerifyingKey::new(key));
        self
    }

    pub fn with_pem(self, serial: &str, pem: &str) -> Result<Self, KeyError> {
        let key = RsaPublicKey::from_public_key_pem(pem).map_err(|_| KeyError::Public { serial: serial.to_owned() })?;
        Ok(self.with(serial, key))
    }

    pub fn check(&self, serial: &str, message: &[u8], signature: &str) -> Result<(), SignatureError> {
        let key = self.keys.get(serial).ok_or(SignatureError::UnknownSerial)?;
        let bytes = BASE64.decode(signature).map_err(|_| SignatureError::Forged)?;
        let signature = Signature::try_from(bytes.as_slice()).map_err(|_| SignatureError::Forged)?;
        key.verify(message, &signature).map_err(|_| SignatureError::Forged)
    }
}

impl fmt::Debug for TrustedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.keys()).finish()
    }
}

/// The symmetric key that notices are encrypted with.
#[derive(Clone)]
pub struct ApiV3Key([u8; 32]);

impl ApiV3Key {
    pub fn new(bytes: &[u8]) -> Result<Self, KeyError> {
        bytes.try_into().map(Self).map_err(|_| KeyError::ApiV3)
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for ApiV3Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiV3Key(***)")
    }
}
