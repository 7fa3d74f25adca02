//! A conversation's own key: AES-256-GCM for bodies, HMAC-SHA256 for the fingerprint that tells a retry from an id reused.
//!
//! The associated data of a body is (conversation, sender, message id), not the seq: a body is sealed by the sender's task before the
//! writer has given it a seq. The seq is bound to the sealed bytes by the hash chain, which readers check.

use super::{BrokenSeal, Key};
use crate::entropy::Entropy;
use crate::ids::{ConversationId, MessageId, TenantId, UserId};
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// Where a body belongs; sealed with it, so that a row copied elsewhere does not open.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub conversation: ConversationId,
    pub sender: Option<UserId>,
    pub id: MessageId,
}

impl Place {
    fn associated_data(&self) -> [u8; 48] {
        let mut data = [0; 48];
        data[..16].copy_from_slice(self.conversation.as_bytes());
        data[16..32].copy_from_slice(self.sender.unwrap_or(UserId::NIL).as_bytes());
        data[32..].copy_from_slice(self.id.as_bytes());
        data
    }
}

/// Keyed hash of a plain body. Keyed, because a bare hash of a short answer is as good as the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fingerprint(pub [u8; 16]);

/// A data key as it is stored: nonce, sealed key, tag.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey(pub [u8; NONCE_BYTES + 32 + TAG_BYTES]);

impl std::fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WrappedKey(***)")
    }
}

pub struct DataKey {
    cipher: Aes256Gcm,
    fingerprint: Hmac<Sha256>,
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(***)")
    }
}

impl DataKey {
    /// A new key, and the only form in which it may be stored.
    pub fn create(entropy: &Entropy, tenant: (TenantId, &Key), person: (UserId, &Key), conversation: ConversationId) -> (Self, WrappedKey) {
        let secret = Zeroizing::new(entropy.bytes::<32>());
        let nonce = entropy.bytes::<NONCE_BYTES>();
        let mut wrapped = [0; NONCE_BYTES + 32 + TAG_BYTES];
        wrapped[..NONCE_BYTES].copy_from_slice(&nonce);
        wrapped[NONCE_BYTES..NONCE_BYTES + 32].copy_from_slice(&*secret);
        let (body, tag) = wrapped[NONCE_BYTES..].split_at_mut(32);
        let sealed = wrapping_cipher(tenant.1, person.1)
            .encrypt_inout_detached(&Nonce::from(nonce), &wrapping_data(tenant.0, person.0, conversation), body.into())
            .expect("32 bytes are within the limits of AES-GCM");
        tag.copy_from_slice(&sealed);
        (Self::from_secret(&secret), WrappedKey(wrapped))
    }

    pub fn unwrap(
        wrapped: &WrappedKey,
        tenant: (TenantId, &Key),
        person: (UserId, &Key),
        conversation: ConversationId,
    ) -> Result<Self, BrokenSeal> {
        let mut secret = Zeroizing::new([0; 32]);
        secret.copy_from_slice(&wrapped.0[NONCE_BYTES..NONCE_BYTES + 32]);
        let nonce: [u8; NONCE_BYTES] = wrapped.0[..NONCE_BYTES].try_into().map_err(|_| BrokenSeal)?;
        let tag: [u8; TAG_BYTES] = wrapped.0[NONCE_BYTES + 32..].try_into().map_err(|_| BrokenSeal)?;
        wrapping_cipher(tenant.1, person.1)
            .decrypt_inout_detached(
                &Nonce::from(nonce),
                &wrapping_data(tenant.0, person.0, conversation),
                secret.as_mut_slice().into(),
                &Tag::from(tag),
            )
            .map_err(|_| BrokenSeal)?;
        Ok(Self::from_secret(&secret))
    }

    fn from_secret(secret: &[u8; 32]) -> Self {
        let derive = |purpose: &str| {
            let mut key = Zeroizing::new([0; 32]);
            expand(secret, purpose.as_bytes(), &mut key);
            key
        };
        Self {
            cipher: Aes256Gcm::new(&(*derive("wenzhen conversation body v1")).into()),
            fingerprint: Hmac::new_from_slice(&*derive("wenzhen conversation fingerprint v1")).expect("HMAC takes a key of any length"),
        }
    }

    /// Appends nonce, sealed body and tag to `out`. `body` is plain protobuf.
    pub fn seal_into(&self, entropy: &Entropy, place: &Place, body: &[u8], out: &mut Vec<u8>) {
        let nonce = entropy.bytes::<NONCE_BYTES>();
        out.reserve(NONCE_BYTES + body.len() + TAG_BYTES);
        out.extend_from_slice(&nonce);
        let start = out.len();
        out.extend_from_slice(body);
        let tag = self
            .cipher
            .encrypt_inout_detached(&Nonce::from(nonce), &place.associated_data(), out[start..].as_mut().into())
            .expect("a body is far below AES-GCM's 64 GiB");
        out.extend_from_slice(&tag);
    }

    pub fn open(&self, place: &Place, sealed: &[u8]) -> Result<Vec<u8>, BrokenSeal> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(BrokenSeal)?;
        let (body, tag) = rest.split_last_chunk::<TAG_BYTES>().ok_or(BrokenSeal)?;
        let mut body = body.to_vec();
        self.cipher
            .decrypt_inout_detached(&Nonce::from(*nonce), &place.associated_data(), body.as_mut_slice().into(), &Tag::from(*tag))
            .map_err(|_| BrokenSeal)?;
        Ok(body)
    }

    pub fn fingerprint(&self, urgent: bool, body: &[u8]) -> Fingerprint {
        let mut mac = self.fingerprint.clone();
        mac.update(&[u8::from(urgent)]);
        mac.update(body);
        let full: [u8; 32] = mac.finalize().into_bytes().into();
        let mut short = [0; 16];
        short.copy_from_slice(&full[..16]);
        Fingerprint(short)
    }
}

/// Neither outer key alone gives anything.
fn wrapping_cipher(tenant: &Key, person: &Key) -> Aes256Gcm {
    let mut both = Zeroizing::new([0; 64]);
    both[..32].copy_from_slice(tenant.as_bytes());
    both[32..].copy_from_slice(person.as_bytes());
    let mut key = Zeroizing::new([0; 32]);
    expand(&*both, b"wenzhen conversation key v1", &mut key);
    Aes256Gcm::new(&(*key).into())
}

fn wrapping_data(tenant: TenantId, person: UserId, conversation: ConversationId) -> [u8; 48] {
    let mut data = [0; 48];
    data[..16].copy_from_slice(tenant.as_bytes());
    data[16..32].copy_from_slice(person.as_bytes());
    data[32..].copy_from_slice(conversation.as_bytes());
    data
}

fn expand(secret: &[u8], purpose: &[u8], key: &mut [u8; 32]) {
    hkdf::Hkdf::<Sha256>::new(None, secret).expand(purpose, key).expect("32 bytes are within HKDF's limit");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Timestamp;

    fn keys() -> (Key, Key) {
        (Key::new([1; 32]), Key::new([2; 32]))
    }

    fn place(entropy: &Entropy) -> Place {
        Place { conversation: entropy.id(Timestamp(1)), sender: Some(entropy.id(Timestamp(1))), id: entropy.id(Timestamp(1)) }
    }

    #[test]
    fn a_wrapped_key_needs_both_outer_keys_and_its_conversation() {
        let entropy = Entropy::seeded(1);
        let (tenant, person) = keys();
        let (tenant_id, user, place) = (entropy.id(Timestamp(1)), entropy.id(Timestamp(1)), place(&entropy));
        let (key, wrapped) = DataKey::create(&entropy, (tenant_id, &tenant), (user, &person), place.conversation);
        let mut sealed = Vec::new();
        key.seal_into(&entropy, &place, b"twice a day", &mut sealed);

        let again = DataKey::unwrap(&wrapped, (tenant_id, &tenant), (user, &person), place.conversation).unwrap();
        assert_eq!(again.open(&place, &sealed).unwrap(), b"twice a day");
        assert_eq!(again.fingerprint(false, b"x"), key.fingerprint(false, b"x"));
        assert!(DataKey::unwrap(&wrapped, (tenant_id, &person), (user, &person), place.conversation).is_err());
        assert!(DataKey::unwrap(&wrapped, (tenant_id, &tenant), (user, &tenant), place.conversation).is_err());
        assert!(DataKey::unwrap(&wrapped, (tenant_id, &tenant), (user, &person), entropy.id(Timestamp(1))).is_err());
    }

    #[test]
    fn a_body_opens_only_in_its_place_and_unchanged() {
        let entropy = Entropy::seeded(2);
        let (tenant, person) = keys();
        let here = place(&entropy);
        let (key, _) = DataKey::create(&entropy, (TenantId::NIL, &tenant), (UserId::NIL, &person), here.conversation);
        let mut sealed = Vec::new();
        key.seal_into(&entropy, &here, b"no", &mut sealed);
        assert!(key.open(&place(&entropy), &sealed).is_err(), "another place");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(key.open(&here, &changed), Err(BrokenSeal), "byte {at}");
        }
        assert_eq!(key.open(&here, &sealed[..20]), Err(BrokenSeal));
    }

    #[test]
    fn a_fingerprint_tells_bodies_apart_but_not_without_the_key() {
        let entropy = Entropy::seeded(3);
        let (tenant, person) = keys();
        let (one, _) = DataKey::create(&entropy, (TenantId::NIL, &tenant), (UserId::NIL, &person), ConversationId::NIL);
        let (other, _) = DataKey::create(&entropy, (TenantId::NIL, &tenant), (UserId::NIL, &person), ConversationId::NIL);
        assert_ne!(one.fingerprint(false, b"yes"), one.fingerprint(false, b"no"));
        assert_ne!(one.fingerprint(false, b"yes"), one.fingerprint(true, b"yes"));
        assert_ne!(one.fingerprint(false, b"yes"), other.fingerprint(false, b"yes"));
    }

    #[test]
    fn keys_do_not_print() {
        let (tenant, _) = keys();
        let (key, wrapped) = DataKey::create(&Entropy::seeded(4), (TenantId::NIL, &tenant), (UserId::NIL, &tenant), ConversationId::NIL);
        assert_eq!(format!("{tenant:?} {key:?} {wrapped:?}"), "Key(***) DataKey(***) WrappedKey(***)");
    }
}
