//! Sealing of single columns: AES-256-GCM, bound to table, column and row, so that a moved ciphertext does not open.

use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{Aead, KeyInit, Payload},
};
use chat::entropy::Entropy;
use uuid::Uuid;
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 12;

/// 256 bits that never show in a log.
#[derive(Clone)]
pub struct SecretKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(***)")
    }
}

/// Where a sealed value stands.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub table: &'static str,
    pub column: &'static str,
    pub row: Uuid,
}

#[derive(Debug, thiserror::Error)]
#[error("a sealed value was changed, moved, or sealed with another key")]
pub struct Unsealable;

impl SecretKey {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub fn seal(&self, entropy: &Entropy, place: Place, plain: &[u8]) -> Vec<u8> {
        self.seal_with(entropy, &place.associated_data(), plain)
    }

    pub fn open(&self, place: Place, sealed: &[u8]) -> Result<Vec<u8>, Unsealable> {
        self.open_with(&place.associated_data(), sealed)
    }

    /// A text; what is not UTF-8 was not sealed by us.
    pub fn open_text(&self, place: Place, sealed: &[u8]) -> Result<String, Unsealable> {
        String::from_utf8(self.open(place, sealed)?).map_err(|_| Unsealable)
    }

    pub(super) fn seal_with(&self, entropy: &Entropy, associated: &[u8], plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = entropy.bytes();
        let payload = Payload { msg: plain, aad: associated };
        let sealed = self.cipher().encrypt(&Nonce::from(nonce), payload).expect("a column is far below AES-GCM's 64 GiB");
        [&[VERSION], nonce.as_slice(), &sealed].concat()
    }

    pub(super) fn open_with(&self, associated: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Unsealable> {
        let (version, rest) = sealed.split_first().ok_or(Unsealable)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(Unsealable)?;
        if *version != VERSION {
            return Err(Unsealable);
        }
        self.cipher().decrypt(&Nonce::from(*nonce), Payload { msg: body, aad: associated }).map_err(|_| Unsealable)
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(self.bytes().into())
    }
}

impl Place {
    fn associated_data(&self) -> Vec<u8> {
        [self.table.as_bytes(), b"\0", self.column.as_bytes(), b"\0", self.row.as_bytes()].concat()
    }
}

impl From<Unsealable> for crate::http::Problem {
    fn from(error: Unsealable) -> Self {
        Self::internal(&error)
    }
}
