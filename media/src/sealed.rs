//! Blobs are sealed with AES-256-GCM under a key of the caller: nonce, then ciphertext with its tag.
//!
//! Blob id and variant are associated data, so that two stored files cannot be exchanged for each other unnoticed.

use crate::{MediaError, entropy, store::BlobId};
use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use bytes::Bytes;

const NONCE_BYTES: usize = 12;
const DOMAIN: &[u8] = b"wenzhen blob 1";

/// 256 bits; prints nothing.
#[derive(Clone)]
pub struct Key(pub [u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(***)")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Variant {
    Full,
    Thumbnail,
}

impl Variant {
    pub fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Thumbnail => "thumbnail",
        }
    }
}

pub(crate) fn seal(plain: &[u8], key: &Key, blob: BlobId, variant: Variant) -> Result<Bytes, MediaError> {
    let nonce: [u8; NONCE_BYTES] = entropy::bytes();
    let aad = associated(blob, variant);
    let payload = Payload { msg: plain, aad: &aad };
    let sealed = Aes256Gcm::new(&key.0.into()).encrypt(&nonce.into(), payload).map_err(|_| MediaError::Sealed)?;
    Ok([&nonce[..], &sealed].concat().into())
}

pub(crate) fn open(sealed: &[u8], key: &Key, blob: BlobId, variant: Variant) -> Result<Bytes, MediaError> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(MediaError::Sealed)?;
    let aad = associated(blob, variant);
    let payload = Payload { msg: rest, aad: &aad };
    let plain = Aes256Gcm::new(&key.0.into()).decrypt(&(*nonce).into(), payload).map_err(|_| MediaError::Sealed)?;
    Ok(plain.into())
}

fn associated(blob: BlobId, variant: Variant) -> Vec<u8> {
    [DOMAIN, blob.0.as_bytes(), variant.word().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_with_its_key_id_and_variant() {
        let (key, blob) = (Key([7; 32]), BlobId::random());
        let sealed = seal(b"a picture", &key, blob, Variant::Full).unwrap();
        assert_eq!(open(&sealed, &key, blob, Variant::Full).unwrap(), "a picture");
        assert!(open(&sealed, &Key([8; 32]), blob, Variant::Full).is_err());
        assert!(open(&sealed, &key, BlobId::random(), Variant::Full).is_err());
        assert!(open(&sealed, &key, blob, Variant::Thumbnail).is_err());
        for cut in [0, 5, 12, sealed.len() - 1] {
            assert!(open(&sealed[..cut], &key, blob, Variant::Full).is_err());
        }
        let again = seal(b"a picture", &key, blob, Variant::Full).unwrap();
        assert_ne!(again, sealed, "every sealing has its own nonce");
    }
}
