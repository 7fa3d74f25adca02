//! A stranger at the callback routes: notices in the right form with everything but the platform's key. Each has to be refused; that
//! none of them changed anything is what the final read of the orders shows.
//!
//! A genuine notice never passes through a client's hands, so a replay here is a forged one sent twice, as it was and late.

use super::Till;
use crate::clock::unix_ms;
use crate::connect::Http;
use crate::run::ACCEPTED;
use crate::seed::Seeded;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::sync::Arc;

const SERIAL: &str = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1";
const SIGNATURE_BYTES: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unsigned,
    /// A signature of the right length by nobody's key.
    Forged,
    /// The same, an hour old.
    Stale,
    /// The same, twice with one nonce.
    Replayed,
    /// The headers are there and the body is not a notice.
    NotANotice,
}

const KINDS: [Kind; 5] = [Kind::Unsigned, Kind::Forged, Kind::Stale, Kind::Replayed, Kind::NotANotice];

pub(super) async fn forge(till: Arc<Till>, mut dice: Seeded) {
    let kind = KINDS[dice.below(KINDS.len())];
    let path = if dice.chance(0.5) { "payments" } else { "refunds" };
    let notice = Notice::make(kind, path, &mut dice);
    let sendings = if kind == Kind::Replayed { 2 } else { 1 };
    let run = &till.part.run;
    for _ in 0..sendings {
        let target = &run.targets[0];
        let path = format!("/api/callbacks/wechat-pay/{path}");
        let request = run.http.request(reqwest::Method::POST, target, &path, None).header("content-type", "application/json");
        let request = notice.headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        match Http::answer(request.body(notice.body.clone())).await {
            Ok(answer) if answer.is_success() => run.fail(&format!("{ACCEPTED}notice_{kind:?}").to_lowercase()),
            Ok(answer) if (400..500).contains(&answer.status) && answer.status != 429 => {}
            Ok(answer) => run.fail(&format!("notice_{}", answer.class())),
            Err(class) => run.fail(&class),
        }
    }
}

struct Notice {
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Notice {
    fn make(kind: Kind, path: &str, dice: &mut Seeded) -> Self {
        let body = if kind == Kind::NotANotice { "{\"id\":".into() } else { envelope(path, dice).to_string() };
        if kind == Kind::Unsigned {
            return Self { headers: Vec::new(), body };
        }
        let age_s = if kind == Kind::Stale { 3_600 } else { 0 };
        let headers = vec![
            ("wechatpay-timestamp", (unix_ms() / 1000 - age_s).to_string()),
            ("wechatpay-nonce", dice.uuid().simple().to_string()),
            ("wechatpay-serial", SERIAL.to_owned()),
            ("wechatpay-signature", STANDARD.encode(dice.bytes::<SIGNATURE_BYTES>())),
        ];
        Self { headers, body }
    }
}

fn envelope(path: &str, dice: &mut Seeded) -> Value {
    let event = if path == "payments" { "TRANSACTION.SUCCESS" } else { "REFUND.SUCCESS" };
    json!({
        "id": dice.uuid(), "create_time": "2026-01-01T10:00:00+08:00", "event_type": event, "resource_type": "encrypt-resource",
        "resource": {
            "algorithm": "AEAD_AES_256_GCM", "original_type": "transaction", "associated_data": "transaction",
            "nonce": &dice.uuid().simple().to_string()[..12], "ciphertext": STANDARD.encode(dice.bytes::<200>()),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_forgery_differs_from_a_notice_in_one_thing() {
        let mut dice = Seeded::new(1, "forge");
        for kind in KINDS {
            let notice = Notice::make(kind, "payments", &mut dice);
            let parsed: Result<Value, _> = serde_json::from_str(&notice.body);
            assert_eq!(parsed.is_ok(), kind != Kind::NotANotice, "{kind:?}");
            assert_eq!(notice.headers.len(), if kind == Kind::Unsigned { 0 } else { 4 }, "{kind:?}");
            let time = notice.headers.first().and_then(|(_, value)| value.parse::<u64>().ok()).unwrap_or(0);
            let is_fresh = time + 300 > unix_ms() / 1000;
            assert_eq!(is_fresh, !matches!(kind, Kind::Stale | Kind::Unsigned), "{kind:?}");
        }
    }
}
