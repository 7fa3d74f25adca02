//! The encrypted part of a notice: AES-256-GCM under the APIv3 key.
//!
//! Opening asks for a [`Verified`] body, so nothing unsigned is ever decrypted or parsed. Types are strict where money is
//! concerned (a repeated field, `"1.0"`, `1e18` are refused) and lenient about fields we do not know.

use super::{ApiV3Key, Verified};
use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResourceError {
    #[error("the body is not a notice")]
    NotANotice,
    #[error("the notice names an algorithm we do not speak")]
    Algorithm,
    #[error("the resource does not open with our key")]
    Sealed,
    #[error("the resource is not what its notice says")]
    Content,
}

impl ResourceError {
    pub fn code(self) -> &'static str {
        match self {
            Self::NotANotice => "notice_malformed",
            Self::Algorithm => "notice_algorithm",
            Self::Sealed => "notice_undecryptable",
            Self::Content => "notice_content",
        }
    }
}

/// The outer, signed body of a notice.
#[derive(Debug, Deserialize, Serialize)]
pub struct Envelope {
    pub id: String,
    pub create_time: String,
    pub event_type: String,
    pub resource_type: String,
    pub resource: Resource,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct Resource {
    pub algorithm: String,
    /// Base64; the tag is its last 16 bytes.
    pub ciphertext: String,
    pub nonce: String,
    #[serde(default)]
    pub associated_data: String,
    #[serde(default)]
    pub original_type: String,
}

const ALGORITHM: &str = "AEAD_AES_256_GCM";

impl Envelope {
    pub fn parse(verified: &Verified<'_>) -> Result<Self, ResourceError> {
        let envelope: Self = serde_json::from_slice(verified.body()).map_err(|_| ResourceError::NotANotice)?;
        if envelope.resource_type != "encrypt-resource" || envelope.id.is_empty() || envelope.id.len() > 64 {
            return Err(ResourceError::NotANotice);
        }
        Ok(envelope)
    }

    pub fn open<T: DeserializeOwned>(&self, key: &ApiV3Key) -> Result<T, ResourceError> {
        serde_json::from_slice(&self.resource.open(key)?).map_err(|_| ResourceError::Content)
    }
}

impl Resource {
    fn open(&self, key: &ApiV3Key) -> Result<Vec<u8>, ResourceError> {
        if self.algorithm != ALGORITHM {
            return Err(ResourceError::Algorithm);
        }
        let nonce: [u8; 12] = self.nonce.as_bytes().try_into().map_err(|_| ResourceError::Sealed)?;
        let sealed = BASE64.decode(&self.ciphertext).map_err(|_| ResourceError::Sealed)?;
        let payload = Payload { msg: &sealed, aad: self.associated_data.as_bytes() };
        Aes256Gcm::new(&(*key.bytes()).into()).decrypt(&nonce.into(), payload).map_err(|_| ResourceError::Sealed)
    }

    /// The other direction, which only the platform (here: its simulator) uses. The nonce is 12 ASCII characters.
    pub fn seal(key: &ApiV3Key, nonce: [u8; 12], original_type: &str, plain: &[u8]) -> Result<Self, ResourceError> {
        let text = String::from_utf8(nonce.to_vec()).map_err(|_| ResourceError::Sealed)?;
        let payload = Payload { msg: plain, aad: original_type.as_bytes() };
        let sealed = Aes256Gcm::new(&(*key.bytes()).into()).encrypt(&nonce.into(), payload).map_err(|_| ResourceError::Sealed)?;
        Ok(Self {
            algorithm: ALGORITHM.into(),
            ciphertext: BASE64.encode(sealed),
            nonce: text,
            associated_data: original_type.into(),
            original_type: original_type.into(),
        })
    }
}
