//! Signatures against OpenSSL's, and a corpus of notices that must not be believed (F27, D2 "Callback bodies", PAY-01).

use super::{signing, types::Trade, *};
use chat::ids::Timestamp;
use http::HeaderMap;

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const API_V3: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

macro_rules! testdata {
    ($name:literal) => {
        include_str!(concat!("../testdata/", $name))
    };
}

fn signer(pem: &str) -> RsaSigner {
    RsaSigner::from_pem("PLATFORM01", pem).unwrap()
}

fn platform() -> TrustedKeys {
    TrustedKeys::default().with_pem("PLATFORM01", testdata!("platform.pub.pem")).unwrap()
}

fn headers_at(at_s: i64, nonce: &str, serial: &str, body: &[u8], key: &str) -> HeaderMap {
    let signature = signer(key).sign(&answer_text(&at_s.to_string(), nonce, body)).unwrap();
    headers_with(&at_s.to_string(), nonce, serial, &signature)
}

fn headers_with(at: &str, nonce: &str, serial: &str, signature: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("wechatpay-timestamp", at.parse().unwrap());
    headers.insert("wechatpay-nonce", nonce.parse().unwrap());
    headers.insert("wechatpay-serial", serial.parse().unwrap());
    headers.insert("wechatpay-signature", signature.parse().unwrap());
    headers
}

/// RFC 8017 signatures are deterministic, so OpenSSL and we must agree byte for byte.
#[test]
fn signatures_equal_openssl() {
    let merchant = signer(testdata!("merchant.pem"));
    let nonce = "593BEC0C930BF1AFEB40B4A08C8FB242";
    let post = signing::authorization(
        &merchant,
        "1900000001",
        ("POST", "/v3/pay/transactions/jsapi", br#"{"appid":"wx1"}"#),
        1_700_000_000,
        nonce,
    );
    assert_eq!(
        post.unwrap(),
        format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"1900000001\",nonce_str=\"{nonce}\",timestamp=\"1700000000\",serial_no=\"PLATFORM01\",signature=\"{}\"",
            testdata!("request.sig")
        )
    );
    let get = request_text("GET", "/v3/pay/transactions/out-trade-no/T1?mchid=1900000001", 1_700_000_000, nonce, b"");
    assert_eq!(merchant.sign(&get).unwrap(), testdata!("request_get.sig"));
    assert_eq!(signing::pay_sign(&merchant, "wx1", 1_700_000_000, "abc", "prepay_id=wx2016").unwrap(), testdata!("call_up.sig"));
}

#[test]
fn what_openssl_signed_is_believed() {
    let body = br#"{"id":"EV-1","resource_type":"encrypt-resource"}"#;
    let headers = headers_with("1700000000", "Q9rH2w", "PLATFORM01", testdata!("answer.sig"));
    let verified = verify(&platform(), &headers, body, NOW).unwrap();
    assert_eq!((verified.body(), verified.nonce(), verified.serial()), (&body[..], "Q9rH2w", "PLATFORM01"));
}

/// F27: one changed byte anywhere in body, timestamp or nonce breaks it.
#[test]
fn a_changed_byte_anywhere_is_noticed() {
    let body = sealed_notice(br#"{"a":1}"#);
    let headers = headers_at(1_700_000_000, "N0NCE", "PLATFORM01", &body, testdata!("platform.pem"));
    assert!(verify(&platform(), &headers, &body, NOW).is_ok());
    for at in 0..body.len() {
        let mut altered = body.clone();
        altered[at] ^= 1;
        assert_eq!(verify(&platform(), &headers, &altered, NOW).err(), Some(SignatureError::Forged), "byte {at}");
    }
    assert_eq!(verify(&platform(), &headers, &body[..body.len() - 1], NOW).err(), Some(SignatureError::Forged));
    let mut other_nonce = headers.clone();
    other_nonce.insert("wechatpay-nonce", "N0NCF".parse().unwrap());
    assert_eq!(verify(&platform(), &other_nonce, &body, NOW).err(), Some(SignatureError::Forged));
    let mut other_time = headers.clone();
    other_time.insert("wechatpay-timestamp", "1700000001".parse().unwrap());
    assert_eq!(verify(&platform(), &other_time, &body, NOW).err(), Some(SignatureError::Forged));
}

/// F27: another key, another serial, an old or future time, no signature, two signatures, a probe.
#[test]
fn strangers_and_old_texts_are_refused() {
    let body = sealed_notice(br#"{"a":1}"#);
    let refusal = |headers: &HeaderMap| verify(&platform(), headers, &body, NOW).err();
    let good = headers_at(1_700_000_000, "N", "PLATFORM01", &body, testdata!("platform.pem"));
    assert_eq!(refusal(&good), None);
    assert_eq!(refusal(&headers_at(1_700_000_000, "N", "PLATFORM01", &body, testdata!("stranger.pem"))), Some(SignatureError::Forged));
    assert_eq!(refusal(&headers_at(1_700_000_000, "N", "OTHER", &body, testdata!("platform.pem"))), Some(SignatureError::UnknownSerial));
    for at_s in [1_700_000_000 - 300, 1_700_000_000 + 300, 0, i64::MIN, i64::MAX] {
        assert_eq!(refusal(&headers_at(at_s, "N", "PLATFORM01", &body, testdata!("platform.pem"))), Some(SignatureError::Stale), "{at_s}");
    }
    for at_s in [1_700_000_000 - 299, 1_700_000_000 + 299] {
        assert_eq!(refusal(&headers_at(at_s, "N", "PLATFORM01", &body, testdata!("platform.pem"))), None);
    }
    for name in ["wechatpay-timestamp", "wechatpay-nonce", "wechatpay-serial", "wechatpay-signature"] {
        let mut missing = good.clone();
        missing.remove(name);
        assert_eq!(refusal(&missing), Some(SignatureError::Unsigned), "{name}");
        let mut twice = good.clone();
        let value = twice[name].clone();
        twice.append(name, value);
        assert_eq!(refusal(&twice), Some(SignatureError::Unsigned), "{name} twice");
    }
    let signature = good["wechatpay-signature"].to_str().unwrap();
    let probe = headers_with("1700000000", "N", "PLATFORM01", &format!("WECHATPAY/SIGNTEST/{signature}"));
    assert_eq!(refusal(&probe), Some(SignatureError::Probe));
    for nonsense in ["AAAA", "not base64!", "="] {
        assert_eq!(refusal(&headers_with("1700000000", "N", "PLATFORM01", nonsense)), Some(SignatureError::Forged));
    }
    assert_eq!(refusal(&headers_with("soon", "N", "PLATFORM01", signature)), Some(SignatureError::Unsigned));
}

/// D2 "Callback bodies": correctly signed nonsense is still nonsense.
#[test]
fn signed_nonsense_is_refused() {
    let bodies: [&[u8]; 12] = [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"aaaa\">]><x>&a;</x>",
        br#"{"id":1,"create_time":"","event_type":"","resource_type":"encrypt-resource","resource":{}}"#,
        br#"{"id":"a","id":"b","create_time":"","event_type":"","resource_type":"encrypt-resource","resource":{"algorithm":"AEAD_AES_256_GCM","ciphertext":"","nonce":""}}"#,
        br#"{"id":"","create_time":"","event_type":"","resource_type":"encrypt-resource","resource":{"algorithm":"AEAD_AES_256_GCM","ciphertext":"","nonce":""}}"#,
        br#"{"id":"a","create_time":"","event_type":"","resource_type":"plain","resource":{"algorithm":"AEAD_AES_256_GCM","ciphertext":"","nonce":""}}"#,
        br#"{"id":"a","create_time":"","event_type":"","resource_type":"encrypt-resource","resource":"AEAD_AES_256_GCM"}"#,
        br#"{"id":["a"],"create_time":"","event_type":"","resource_type":"encrypt-resource","resource":null}"#,
    ];
    for body in bodies {
        let headers = headers_at(1_700_000_000, "N", "PLATFORM01", body, testdata!("platform.pem"));
        let verified = verify(&platform(), &headers, body, NOW).unwrap();
        assert_eq!(Envelope::parse(&verified).err(), Some(ResourceError::NotANotice), "{}", String::from_utf8_lossy(body));
    }
}

/// F27, D2: altered amounts and type confusion inside the sealed part.
#[test]
fn amounts_that_are_no_amounts_are_refused() {
    let trade = |amount: &str| {
        format!(
            r#"{{"appid":"a","mchid":"m","out_trade_no":"T","transaction_id":"4200","trade_state":"SUCCESS","success_time":"2023-11-15T06:13:20+08:00","amount":{{"total":{amount},"currency":"CNY"}}}}"#
        )
    };
    assert_eq!(opened(trade("100").as_bytes()).unwrap().amount.map(|amount| amount.total.get()), Some(100));
    for bad in ["0", "-1", "1e18", "1.0", "\"1.0\"", "\"100\"", "1000000000000000000", "null", "[100]", "{}", "true", "NaN"] {
        assert_eq!(opened(trade(bad).as_bytes()).err(), Some(ResourceError::Content), "{bad}");
    }
    let twice = trade("100").replace("\"mchid\":\"m\"", "\"mchid\":\"m\",\"mchid\":\"m\"");
    assert_eq!(opened(twice.as_bytes()).err(), Some(ResourceError::Content));
    let unknown_state = trade("100").replace("SUCCESS", "PERHAPS");
    assert_eq!(opened(unknown_state.as_bytes()).err(), Some(ResourceError::Content));
}

/// AES-256-GCM binds key, nonce, associated data and text.
#[test]
fn a_resource_opens_only_with_everything_right() {
    let key = ApiV3Key::new(API_V3).unwrap();
    let sealed = || Resource::seal(&key, *b"abcdefghijkl", "transaction", b"{\"a\":1}").unwrap();
    let envelope = |resource| Envelope {
        id: "EV".into(),
        create_time: String::new(),
        event_type: String::new(),
        resource_type: "encrypt-resource".into(),
        resource,
    };
    let open = |resource: Resource, key: &ApiV3Key| envelope(resource).open::<serde_json::Value>(key).err();
    assert_eq!(open(sealed(), &key), None);
    assert_eq!(open(sealed(), &ApiV3Key::new(&[7; 32]).unwrap()), Some(ResourceError::Sealed));
    assert_eq!(open(Resource { associated_data: "refund".into(), ..sealed() }, &key), Some(ResourceError::Sealed));
    assert_eq!(open(Resource { nonce: "abcdefghijkm".into(), ..sealed() }, &key), Some(ResourceError::Sealed));
    assert_eq!(open(Resource { nonce: "short".into(), ..sealed() }, &key), Some(ResourceError::Sealed));
    assert_eq!(open(Resource { ciphertext: "AAAA".into(), ..sealed() }, &key), Some(ResourceError::Sealed));
    assert_eq!(open(Resource { algorithm: "AES-128".into(), ..sealed() }, &key), Some(ResourceError::Algorithm));
    assert!(ApiV3Key::new(b"short").is_err());
}

fn sealed_notice(plain: &[u8]) -> Vec<u8> {
    let resource = Resource::seal(&ApiV3Key::new(API_V3).unwrap(), *b"abcdefghijkl", "transaction", plain).unwrap();
    let envelope = Envelope {
        id: "EV-1".into(),
        create_time: "2023-11-15T06:13:20+08:00".into(),
        event_type: "TRANSACTION.SUCCESS".into(),
        resource_type: "encrypt-resource".into(),
        resource,
    };
    serde_json::to_vec(&envelope).unwrap()
}

fn opened(plain: &[u8]) -> Result<Trade, ResourceError> {
    let body = sealed_notice(plain);
    let headers = headers_at(1_700_000_000, "N", "PLATFORM01", &body, testdata!("platform.pem"));
    let verified = verify(&platform(), &headers, &body, NOW).unwrap();
    Envelope::parse(&verified)?.open(&ApiV3Key::new(API_V3).unwrap())
}
