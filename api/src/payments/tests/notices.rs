//! Notices that are repeated, replayed, forged, altered or out of place (S11, F26, F27, L3, L4).

use super::*;
use crate::payments::{
    PaymentState,
    wechat::{Envelope, Resource, RsaSigner, answer_text},
};
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

const SERIAL: &str = "PUB_KEY_ID_SIMULATED01";
const API_V3: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

/// S11: ten deliveries of one notice, each signed afresh, are one posting; the very same delivery again is a replay.
#[tokio::test]
async fn ten_times_is_once() {
    let test = TestApp::start().await;
    let order = open_order(&test, payer(&test).await, 500).await;
    let payment = begin(&test, order).await.unwrap();
    simulator(&test).set_faults(Faults { repeat_notices: 9, ..Faults::default() });
    simulator(&test).pay(payment.prepay_id.as_deref().unwrap()).unwrap();
    let deliveries = simulator(&test).take_deliveries();
    assert_eq!(deliveries.len(), 10);
    for delivery in &deliveries {
        post_notice(&test, delivery).await.status(204);
    }
    let replay = post_notice(&test, &deliveries[0]).await.status(409).json();
    assert_eq!(replay, json!({ "code": "FAIL", "message": "callback_replayed" }));
    test.settle().await;
    let report = sound(&test).await;
    assert_eq!((report.transactions, report.captured_fen), (1, 500));
}

/// F27, D2: whatever is not exactly what the channel would say about this payment changes nothing and says why.
#[tokio::test]
async fn lies_change_nothing() {
    let test = TestApp::start().await;
    let order = open_order(&test, payer(&test).await, 500).await;
    let payment = begin(&test, order).await.unwrap();
    let honest = trade(&payment);
    let with = |path: &str, value: Value| {
        let mut lie = honest.clone();
        *lie.pointer_mut(path).unwrap() = value;
        lie
    };
    let lies = [
        (with("/mchid", json!("1900000002")), 400, "merchant_mismatch"),
        (with("/appid", json!("wxother")), 400, "merchant_mismatch"),
        (with("/out_trade_no", json!("somebody-elses")), 404, "payment_unknown"),
        (with("/amount/total", json!(499)), 400, "amount_mismatch"),
        (with("/amount/total", json!(0)), 400, "notice_content"),
        (with("/amount/total", json!(-1)), 400, "notice_content"),
        (with("/amount/total", json!(1e18)), 400, "notice_content"),
        (with("/amount/total", json!("1.0")), 400, "notice_content"),
        (with("/amount/total", json!("500")), 400, "notice_content"),
        (with("/amount/total", json!([500])), 400, "notice_content"),
        (with("/amount/currency", json!("USD")), 400, "amount_mismatch"),
        (with("/amount", Value::Null), 400, "notice_incomplete"),
        (with("/transaction_id", json!("")), 400, "notice_incomplete"),
        (with("/transaction_id", json!({ "a": 1 })), 400, "notice_content"),
        (with("/success_time", json!("yesterday")), 400, "notice_incomplete"),
        (with("/trade_state", json!("NOTPAY")), 400, "notice_incomplete"),
        (with("/trade_state", json!("PAID")), 400, "notice_content"),
        (json!([]), 400, "notice_content"),
    ];
    let count = i64::try_from(lies.len()).unwrap();
    for (at, (lie, status, code)) in lies.into_iter().enumerate() {
        let delivery = signed_by(&test, include_str!("../testdata/platform.pem"), &format!("LIE{at}"), &lie);
        let answer = post_notice(&test, &delivery).await.status(status).json();
        assert_eq!(answer["message"], code, "{lie}");
    }
    let forged = signed_by(&test, include_str!("../testdata/stranger.pem"), "EV", &honest);
    assert_eq!(post_notice(&test, &forged).await.status(401).json()["message"], "signature_invalid");
    let old = signed_by(&test, include_str!("../testdata/platform.pem"), "EV", &honest);
    test.advance_ms(300_000).await;
    assert_eq!(post_notice(&test, &old).await.status(401).json()["message"], "signature_stale");
    test.settle().await;
    assert_ne!(payment_row(&test, &payment).await.state, PaymentState::Captured);
    assert_eq!(sound(&test).await.transactions, 0);
    let kept: Option<i64> = test.app.db.scalar(crate::sql!("SELECT COUNT(*) FROM payment_notice_refusals")).await.unwrap();
    assert_eq!(kept, Some(count), "every signed lie left a row");
    let truth = signed_by(&test, include_str!("../testdata/platform.pem"), "EV", &honest);
    post_notice(&test, &truth).await.status(204);
    test.settle().await;
    assert_eq!(payment_row(&test, &payment).await.state, PaymentState::Captured);
    let other = signed_by(&test, include_str!("../testdata/platform.pem"), "EV2", &with("/transaction_id", json!("4200999")));
    assert_eq!(post_notice(&test, &other).await.status(400).json()["message"], "transaction_id_changed");
    assert_eq!(sound(&test).await.captured_fen, 500);
}

/// F27: one altered byte anywhere in a real notice, forged copies before real ones, notices on the wrong path.
#[tokio::test]
async fn altered_and_misplaced_notices_are_refused() {
    let test = TestApp::start().await;
    let order = open_order(&test, payer(&test).await, 500).await;
    let payment = begin(&test, order).await.unwrap();
    simulator(&test).set_faults(Faults { forge_notices: true, ..Faults::default() });
    simulator(&test).pay(payment.prepay_id.as_deref().unwrap()).unwrap();
    let deliveries = simulator(&test).take_deliveries();
    let [forged, real] = deliveries.as_slice() else { panic!("a forged copy and the real one") };
    post_notice(&test, forged).await.status(401);
    for at in (0..real.body.len()).step_by(7) {
        let mut altered = real.clone();
        altered.body[at] ^= 0x10;
        post_notice(&test, &altered).await.status(401);
    }
    let mut misplaced = real.clone();
    misplaced.url = misplaced.url.replace("/payments", "/refunds");
    assert_eq!(post_notice(&test, &misplaced).await.status(400).json()["message"], "notice_content");
    test.settle().await;
    assert_eq!(sound(&test).await.transactions, 0);
    post_notice(&test, real).await.status(204);
    test.settle().await;
    assert_eq!(sound(&test).await.captured_fen, 500);
}

/// F26: a notice for a number we do not know yet is refused so that it comes again, and then counts.
#[tokio::test]
async fn a_notice_before_its_payment_comes_again() {
    let test = TestApp::start().await;
    let order = open_order(&test, payer(&test).await, 500).await;
    let payment = begin(&test, order).await.unwrap();
    let mut unknown = trade(&payment);
    unknown["out_trade_no"] = json!("20261123ffffffffffffffffffff");
    let early = signed_by(&test, include_str!("../testdata/platform.pem"), "EV", &unknown);
    assert_eq!(post_notice(&test, &early).await.status(404).json()["message"], "payment_unknown");
    let later = signed_by(&test, include_str!("../testdata/platform.pem"), "EV", &trade(&payment));
    post_notice(&test, &later).await.status(204);
}

/// The platform's own word that this payment was made.
pub(super) fn said_paid(test: &TestApp, payment: &PaymentRow) -> Delivery {
    signed_by(test, include_str!("../testdata/platform.pem"), &format!("EV-{}", payment.id), &trade(payment))
}

fn trade(payment: &PaymentRow) -> Value {
    json!({
        "appid": "wxdemo0000000001", "mchid": "1900000001", "out_trade_no": payment.out_trade_no, "transaction_id": "4200001",
        "trade_state": "SUCCESS", "success_time": "2026-11-23T12:00:00+08:00",
        "amount": { "total": payment.amount_fen, "payer_total": 1, "currency": "CNY" }, "payer": { "openid": "o" },
    })
}

/// A well-formed, sealed notice under any key: only the platform's should count.
fn signed_by(test: &TestApp, pem: &str, id: &str, trade: &Value) -> Delivery {
    let key = crate::payments::wechat::ApiV3Key::new(API_V3).unwrap();
    let resource = Resource::seal(&key, *b"abcdefghijkl", "transaction", trade.to_string().as_bytes()).unwrap();
    let envelope = Envelope {
        id: id.into(),
        create_time: "2026-11-23T12:00:00+08:00".into(),
        event_type: "TRANSACTION.SUCCESS".into(),
        resource_type: "encrypt-resource".into(),
        resource,
    };
    let body = serde_json::to_vec(&envelope).unwrap();
    let timestamp = (test.app.clock.now().0 / 1_000).to_string();
    let nonce: String = test.app.entropy.bytes::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
    let signature = RsaSigner::from_pem(SERIAL, pem).unwrap().sign(&answer_text(&timestamp, &nonce, &body)).unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in [("timestamp", timestamp), ("nonce", nonce), ("serial", SERIAL.to_owned()), ("signature", signature)] {
        let name = http::HeaderName::try_from(format!("wechatpay-{name}")).unwrap();
        headers.insert(name, HeaderValue::try_from(value).unwrap());
    }
    Delivery { notice: id.into(), url: "http://us/api/callbacks/wechat-pay/payments".into(), headers, body }
}
