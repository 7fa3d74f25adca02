//! Forged, changed, foreign and old tokens.

use super::*;
use crate::entropy::Entropy;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn claims() -> AccessClaims {
    let entropy = Entropy::seeded(7);
    AccessClaims {
        user: entropy.id(NOW),
        session: entropy.id(NOW),
        tenant: entropy.id(NOW),
        role: Role::Patient,
        issued_at: NOW,
        expires_at: NOW.plus_ms(TOKEN_LIFE_MS_MAX),
    }
}

#[test]
fn a_token_says_what_was_put_into_it_until_it_expires() {
    let keys = TokenKeys::new([1; 32]);
    let token = keys.mint(&claims()).unwrap();
    assert_eq!(keys.verify(&token, NOW), Ok(claims()));
    assert_eq!(keys.verify(&token, NOW.plus_ms(TOKEN_LIFE_MS_MAX - 1)), Ok(claims()));
    assert_eq!(keys.verify(&token, NOW.plus_ms(TOKEN_LIFE_MS_MAX)), Err(TokenError::Expired));
    assert_eq!(keys.verify(&token, NOW.plus_ms(-SKEW_MS - 1)), Err(TokenError::Invalid), "from the future");
}

#[test]
fn nobody_gets_a_token_for_longer_than_ten_minutes() {
    let keys = TokenKeys::new([1; 32]);
    for life in [0, -1, TOKEN_LIFE_MS_MAX + 1, i64::MAX] {
        let claims = AccessClaims { expires_at: NOW.plus_ms(life), ..claims() };
        assert_eq!(keys.mint(&claims), Err(TokenError::LifeTooLong));
    }
}

#[test]
fn the_key_before_still_verifies_and_a_foreign_one_never_does() {
    let token = TokenKeys::new([1; 32]).mint(&claims()).unwrap();
    assert!(TokenKeys::new([2; 32]).with_previous([1; 32]).verify(&token, NOW).is_ok());
    assert_eq!(TokenKeys::new([2; 32]).verify(&token, NOW), Err(TokenError::Invalid));
}

#[test]
fn an_authentic_text_in_another_form_is_refused() {
    let keys = TokenKeys::new([1; 32]);
    let sign = |signed: &str| format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac_of(&keys.current, signed.as_bytes())));
    let json = serde_json::to_string(&claims()).unwrap();
    let payload = |json: &str| URL_SAFE_NO_PAD.encode(json);
    assert!(keys.verify(&sign(&format!("wz1.{}", payload(&json))), NOW).is_ok(), "the control");
    for signed in [
        format!("wz2.{}", payload(&json)),
        payload(&json),
        format!("wz1.{}=", payload(&json)),
        format!("wz1.{}", payload(&json.replacen('{', "{\"alg\":\"none\",", 1))),
        format!("wz1.{}", payload(&json.replacen('{', "{\"role\":\"doctor\",", 1))),
        format!("wz1.{}", payload("null")),
        "wz1.".to_owned(),
        String::new(),
    ] {
        assert_eq!(keys.verify(&sign(&signed), NOW), Err(TokenError::Invalid), "{signed}");
    }
}

#[test]
fn ten_thousand_mutations_are_refused() {
    let seed = Entropy::System.up_to(u64::MAX);
    println!("seed {seed}");
    let entropy = Entropy::seeded(seed);
    let keys = TokenKeys::new([1; 32]);
    let token = keys.mint(&claims()).unwrap();
    let other = TokenKeys::new([2; 32]).mint(&claims()).unwrap();
    let pick = |len: usize| usize::try_from(entropy.up_to(len as u64 - 1)).unwrap();
    for _ in 0..10_000 {
        let mut bytes = token.clone().into_bytes();
        let at = pick(bytes.len());
        match entropy.up_to(5) {
            0 => bytes[at] ^= 1 << entropy.up_to(6),
            1 => bytes.truncate(at),
            2 => bytes.insert(at, b"=.A_-+/ "[pick(8)]),
            3 => drop(bytes.remove(at)),
            4 => bytes[at..].copy_from_slice(&other.as_bytes()[at..]),
            _ => bytes.extend_from_slice(&other.as_bytes()[at..]),
        }
        let Ok(text) = String::from_utf8(bytes) else { continue };
        if text != token {
            assert_eq!(keys.verify(&text, NOW), Err(TokenError::Invalid), "{text}");
        }
    }
}
