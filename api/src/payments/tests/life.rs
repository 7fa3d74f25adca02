//! The ordinary lives of a payment, and the ones with lost answers.

use super::*;
use crate::payments::{PaymentState, wechat::types::RefundStatus};
use serde_json::json;

/// PAY-01, ORD-02, ORD-03, D.10, PAY-06: ordered, paid at the cashier, told by a signed notice, asked back, paid back.
#[tokio::test]
async fn paid_and_paid_back() {
    let test = TestApp::start().await;
    let patient = test.patient("13800000001").await;
    let order = open_order(&test, patient.user, 3_000).await;
    let path = format!("/api/orders/{order}");
    assert_eq!(patient.get(&path).await.ok()["display_state"], "未支付");
    let started = patient.post(&format!("{path}/payments"), json!({ "channel": "wechat" })).await.status(201).json();
    assert_eq!(started["pay_sign"]["package"], format!("prepay_id={}", started["prepay_id"].as_str().unwrap()));
    let again = patient.post(&format!("{path}/payments"), json!({ "channel": "wechat" })).await.status(201).json();
    assert_eq!(again["payment_id"], started["payment_id"], "one open payment for an order");

    let cashier = started["cashier_url"].as_str().unwrap();
    assert!(test.get(cashier).await.status(200).text().contains("¥30.00"));
    let form = Request::post(cashier).header("content-type", "application/x-www-form-urlencoded");
    let paid = test.send_raw(form.body(Body::from("action=pay&return_to=%2Forders%2F1")).unwrap()).await.status(303);
    assert_eq!(paid.headers["location"], "/orders/1");
    deliver_all(&test).await;

    let shown = patient.get(&path).await.ok();
    assert_eq!((&shown["state"], &shown["display_state"]), (&json!("paid"), &json!("已支付")));
    patient.post(&format!("{path}/payments"), json!({ "channel": "wechat" })).await.refused(409, "order_paid");
    assert_eq!(sound(&test).await.captured_fen, 3_000);

    patient.post(&format!("{path}/refund-requests"), json!({ "reason": "  " })).await.refused(422, "invalid_field");
    let asked = patient.post(&format!("{path}/refund-requests"), json!({ "reason": "改日再问" })).await.status(202).json();
    assert_eq!(asked["display_state"], "退款中");
    patient.post(&format!("{path}/refund-requests"), json!({ "reason": "再来一次" })).await.refused(409, "refund_in_progress");
    test.settle().await;
    deliver_all(&test).await;
    let shown = patient.get(&path).await.ok();
    assert_eq!((&shown["display_state"], &shown["refunds"][0]["state"]), (&json!("已退款"), &json!("success")));
    patient.post(&format!("{path}/refund-requests"), json!({ "reason": "再来一次" })).await.refused(409, "refund_done");
    let report = sound(&test).await;
    assert_eq!((report.captured_fen, report.refunded_fen), (3_000, 3_000));
    assert_eq!(simulator(&test).totals_fen(), (3_000, 3_000));
}

/// ORD-02, ORD-06: own orders only, in pages, by state.
#[tokio::test]
async fn lists_are_ones_own() {
    let test = TestApp::start().await;
    let (patient, other) = (test.patient("13800000001").await, test.patient("13800000002").await);
    let mut last = None;
    for _ in 0..12 {
        last = Some(open_order(&test, patient.user, 100).await);
    }
    let order = last.unwrap();
    let page = patient.get("/api/orders?page=2").await.ok();
    assert_eq!((page["items"].as_array().unwrap().len(), &page["total"]), (2, &json!(12)));
    assert_eq!(patient.get("/api/orders?state=completed").await.ok()["total"], 0);
    assert_eq!(patient.get("/api/orders?state=unpaid").await.ok()["total"], 12);
    assert_eq!(other.get("/api/orders").await.ok()["total"], 0);
    other.get(&format!("/api/orders/{order}")).await.refused(404, "not_found");
    other.post(&format!("/api/orders/{order}/payments"), json!({ "channel": "wechat" })).await.refused(404, "not_found");
    other.post(&format!("/api/orders/{order}/refund-requests"), json!({ "reason": "别人的" })).await.refused(404, "not_found");
    test.get(&format!("/api/orders/{order}")).await.refused(401, "unauthenticated");
    patient.post(&format!("/api/orders/{order}/payments"), json!({ "channel": "gold" })).await.refused(422, "invalid_field");
}

/// S11, D.5: the notice is lost; the query after 15 s finds the money.
#[tokio::test]
async fn a_lost_notice_is_found_by_asking() {
    let test = TestApp::start().await;
    let order = open_order(&test, payer(&test).await, 500).await;
    let payment = begin(&test, order).await.unwrap();
    simulator(&test).set_faults(Faults { lose_notices: true, ..Faults::default() });
    simulator(&test).pay(payment.prepay_id.as_deref().unwrap()).unwrap();
    test.advance_ms(14_000).await;
    assert_eq!(payment_row(&test, &payment).await.state, PaymentState::Prepaid);
    test.advance_ms(1_000).await;
    assert_eq!(payment_row(&test, &payment).await.state, PaymentState::Captured);
    assert_eq!(order_row(&test, order).await.state, orders::OrderState::Paid);
    sound(&test).await;
}

/// D.5: the channel sends a notice again until it is taken, also in its next life; then no more.
#[tokio::test]
async fn a_notice_outlives_a_restart_until_it_is_taken() {
    let test = TestApp::start().await;
    let order = open_order(&test, payer(&test).await, 500).await;
    let payment = begin(&test, order).await.unwrap();
    simulator(&test).pay(payment.prepay_id.as_deref().unwrap()).unwrap();
    assert_eq!(simulator(&test).take_deliveries().len(), 1, "sent, and nobody was there");
    let test = test.restart().await;
    deliver_all(&test).await;
    assert_eq!(payment_row(&test, &payment).await.state, PaymentState::Captured);
    let test = test.restart().await;
    assert!(simulator(&test).take_deliveries().is_empty());
}

/// D.1, D.5: cancelled while the patient pays: the late money goes back by itself, the order stays closed.
#[tokio::test]
async fn money_that_comes_too_late_goes_back() {
    let test = TestApp::start().await;
    let order = open_order(&test, payer(&test).await, 700).await;
    let payment = begin(&test, order).await.unwrap();
    simulator(&test).pay(payment.prepay_id.as_deref().unwrap()).unwrap();
    cancel(&test, order).await;
    come_to_rest(&test).await;
    let row = order_row(&test, order).await;
    assert_eq!((row.state, row.refund_state), (orders::OrderState::Closed, orders::RefundState::Refunded));
    assert_eq!(simulator(&test).totals_fen(), (700, 700));
    assert_eq!(sound(&test).await.refunded_fen, 700);
}

/// D.5, PAY-06: a failed payment is told and leaves the order payable; of two payments that succeed one is kept.
#[tokio::test]
async fn paid_twice_keeps_one() {
    let test = TestApp::start().await;
    let patient = test.patient("13800000001").await;
    let order = open_order(&test, patient.user, 900).await;
    let first = begin(&test, order).await.unwrap();
    simulator(&test).fail(first.prepay_id.as_deref().unwrap()).unwrap();
    test.advance_ms(15_000).await;
    assert_eq!(payment_row(&test, &first).await.state, PaymentState::Closed);
    assert_eq!(simulator(&test).pay(first.prepay_id.as_deref().unwrap()), Err("ORDER_CLOSED"), "no money can come by it any more");
    assert_eq!(patient.get("/api/notifications").await.ok()["items"][0]["title"], "支付未成功");

    let second = begin(&test, order).await.unwrap();
    assert_ne!(first.id, second.id);
    simulator(&test).pay(second.prepay_id.as_deref().unwrap()).unwrap();
    deliver_all(&test).await;
    // Against its own word the channel says that the first was paid as well.
    post_notice(&test, &notices::said_paid(&test, &first)).await.status(204);
    test.settle().await;
    let row = order_row(&test, order).await;
    assert_eq!((row.state, row.refund_state), (orders::OrderState::Paid, orders::RefundState::None));
    let refunds = crate::payments::refunds_of(&test.app, order).await.unwrap();
    assert_eq!(refunds.iter().map(|refund| refund.reason.as_str()).collect::<Vec<_>>(), ["paid_twice"]);
    assert_eq!(sound(&test).await.captured_fen, 1_800);
}

/// DESIGN §9: answers that are lost or not signed are a third outcome; doing it again finishes it.
#[tokio::test]
async fn lost_and_unsigned_answers_are_not_believed() {
    let test = TestApp::start().await;
    let patient = test.patient("13800000001").await;
    let faults = [Faults { lose_answers: 1, ..Faults::default() }, Faults { unsigned_answers: 1, ..Faults::default() }];
    for fault in faults {
        let order = open_order(&test, patient.user, 800).await;
        let path = format!("/api/orders/{order}/payments");
        simulator(&test).set_faults(fault);
        let problem = patient.post(&path, json!({ "channel": "wechat" })).await.refused(503, "payment_channel_unavailable");
        assert_eq!(problem["temporary"], true);
        let started = patient.post(&path, json!({ "channel": "wechat" })).await.status(201).json();
        simulator(&test).pay(started["prepay_id"].as_str().unwrap()).unwrap();
        deliver_all(&test).await;
        assert_eq!(order_row(&test, order).await.state, orders::OrderState::Paid);
    }
    sound(&test).await;
}

/// D.5: CLOSED is sent again with the same number, a lost answer too; ABNORMAL waits for a person and shows.
#[tokio::test]
async fn refunds_keep_their_number() {
    for (fault, end) in [
        (Faults { refunds_end: RefundStatus::Closed, ..Faults::default() }, orders::RefundState::Refunded),
        (Faults { lose_answers: 1, lose_notices: true, ..Faults::default() }, orders::RefundState::Refunded),
        (Faults { refunds_end: RefundStatus::Processing, ..Faults::default() }, orders::RefundState::Processing),
        (Faults { refunds_end: RefundStatus::Abnormal, ..Faults::default() }, orders::RefundState::Failed),
    ] {
        let test = TestApp::start().await;
        let order = open_order(&test, payer(&test).await, 1_200).await;
        let payment = begin(&test, order).await.unwrap();
        simulator(&test).pay(payment.prepay_id.as_deref().unwrap()).unwrap();
        deliver_all(&test).await;
        simulator(&test).set_faults(fault);
        cancel(&test, order).await;
        test.settle().await;
        deliver_all(&test).await;
        come_to_rest(&test).await;
        assert_eq!(order_row(&test, order).await.refund_state, end, "{fault:?}");
        let returned = if end == orders::RefundState::Refunded { 1_200 } else { 0 };
        assert_eq!(simulator(&test).totals_fen(), (1_200, returned));
        assert_eq!(sound(&test).await.refunded_fen, returned);
    }
}

/// D.11-6: nothing beyond what was captured goes back, also when two ask at once.
#[tokio::test]
async fn never_more_back_than_came_in() {
    let test = TestApp::start().await;
    let order = open_order(&test, payer(&test).await, 1_000).await;
    let payment = begin(&test, order).await.unwrap();
    simulator(&test).pay(payment.prepay_id.as_deref().unwrap()).unwrap();
    deliver_all(&test).await;
    let payment = payment_row(&test, &payment).await;
    let app = &test.app;
    let inputs = json!({});
    let request = |amount| super::super::NewRefund {
        payment: &payment,
        amount: Fen::new(amount).unwrap(),
        reason: super::super::RefundReason::Terminated,
        asked: None,
        inputs: &inputs,
    };
    let mut tx = app.db.begin().await.unwrap();
    super::super::approve_refund(app, &mut tx, request(600)).await.unwrap();
    let refused = super::super::approve_refund(app, &mut tx, request(401)).await;
    assert!(matches!(refused, Err(super::super::MoneyError::Refused(super::super::Trouble::RefundExceedsPayment))));
    super::super::approve_refund(app, &mut tx, request(400)).await.unwrap();
    app.commit(tx).await.unwrap();
    come_to_rest(&test).await;
    assert_eq!(sound(&test).await.refunded_fen, 1_000);
}

/// D.11-3: the books cannot be changed, and a line smuggled in is named by the proof.
#[tokio::test]
async fn the_ledger_is_immutable_and_proves_itself() {
    let test = TestApp::start().await;
    let order = open_order(&test, payer(&test).await, 1_000).await;
    let payment = begin(&test, order).await.unwrap();
    simulator(&test).pay(payment.prepay_id.as_deref().unwrap()).unwrap();
    deliver_all(&test).await;
    let db = &test.app.db;
    let mut tx = db.begin().await.unwrap();
    assert!(tx.run(crate::sql!("UPDATE ledger_lines SET amount_fen = amount_fen + 1")).await.is_err());
    tx.rollback().await.unwrap();
    let mut tx = db.begin().await.unwrap();
    assert!(tx.run(crate::sql!("DELETE FROM ledger_transactions")).await.is_err());
    tx.rollback().await.unwrap();
    sound(&test).await;
    let transaction: Uuid = db.scalar(crate::sql!("SELECT id FROM ledger_transactions")).await.unwrap().unwrap();
    let mut tx = db.begin().await.unwrap();
    tx.run(crate::sql!(
        "INSERT INTO ledger_lines (transaction_id, line, account, owner, amount_fen) VALUES ($1, 3, 'suspense', $2, 5)",
        transaction,
        Uuid::nil()
    ))
    .await
    .unwrap();
    test.app.commit(tx).await.unwrap();
    let findings = ledger::verify(db).await.unwrap().findings;
    assert!(findings.contains(&ledger::Finding::NotZero { sum_fen: 5 }), "{findings:?}");
    assert!(findings.contains(&ledger::Finding::Unbalanced { transaction }));
}
