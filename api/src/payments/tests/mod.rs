//! Payments through the public API, with the simulated channel on the other end of real HTTP, signatures and sealed notices.

mod life;
mod notices;
mod storms;

use super::{
    Gateway, PaymentRow,
    gateway::Wechat,
    queries,
    simulator::{Delivery, Faults, Simulator},
    start,
};
use crate::{
    accounts::NewAccount,
    ledger::{self, Channel, Fen, LedgerReport},
    orders::{self, NewOrder, OrderId, OrderRow},
    testing::{Answer, TestApp},
};
use axum::body::Body;
use chat::ids::{Role, UserId};
use http::Request;
use std::sync::Arc;
use uuid::Uuid;

/// Orders for nothing in particular: their subject has nothing to say about them.
const PROBE: &str = "probe";
const MINUTE_MS: i64 = 60_000;

pub(super) fn wechat(test: &TestApp) -> &Wechat {
    match &test.app.payments {
        Gateway::Wechat(wechat) => wechat,
        Gateway::None => panic!("the demo has a payment channel"),
    }
}

fn simulator(test: &TestApp) -> &Arc<Simulator> {
    test.app.payments.simulator().expect("the demo simulates its channel")
}

async fn open_order(test: &TestApp, patient: UserId, fen: i64) -> OrderId {
    let app = &test.app;
    let new = NewOrder {
        patient,
        consultation: app.entropy.uuid(app.clock.now()),
        title: "图文咨询 · 王芳".into(),
        amount: Fen::new(fen).unwrap(),
        expires_at: app.clock.now().plus_ms(15 * MINUTE_MS),
    };
    let mut tx = app.db.begin().await.unwrap();
    let id = orders::open_for(app, &mut tx, PROBE, new).await.unwrap();
    app.commit(tx).await.unwrap();
    id
}

async fn order_row(test: &TestApp, id: OrderId) -> OrderRow {
    let mut tx = test.app.db.begin().await.unwrap();
    let row = orders::find_unscoped(&mut tx, id).await.unwrap();
    tx.rollback().await.unwrap();
    row
}

/// Begins a payment as the route does; `None` when it was refused.
async fn begin(test: &TestApp, id: OrderId) -> Option<PaymentRow> {
    let order = order_row(test, id).await;
    start::open_payment(&test.app, wechat(test), &order, Channel::Wechat).await.ok()
}

async fn payment_row(test: &TestApp, payment: &PaymentRow) -> PaymentRow {
    queries::read_unscoped(&test.app, payment.id).await.unwrap().unwrap()
}

/// What the slice of the service does when nobody pays, or when it has to give the money back.
async fn cancel(test: &TestApp, id: OrderId) {
    let app = &test.app;
    let mut tx = app.db.begin().await.unwrap();
    let row = orders::find_unscoped(&mut tx, id).await.unwrap();
    if !orders::close(app, &mut tx, &row, "cancelled").await.unwrap() {
        let row = orders::find_unscoped(&mut tx, id).await.unwrap();
        orders::refund(app, &mut tx, &row, super::RefundReason::BeforeAccept, None, &serde_json::json!({})).await.unwrap();
    }
    app.commit(tx).await.unwrap();
}

async fn post_notice(test: &TestApp, delivery: &Delivery) -> Answer {
    let path = delivery.url.splitn(4, '/').nth(3).map(|rest| format!("/{rest}")).unwrap();
    let mut request = Request::post(path).body(Body::from(delivery.body.clone())).unwrap();
    request.headers_mut().extend(delivery.headers.clone());
    let answer = test.send_raw(request).await;
    if answer.code.is_success() {
        simulator(test).note_taken(&delivery.notice);
    }
    answer
}

/// Hands over every waiting notice and lets its effects happen.
async fn deliver_all(test: &TestApp) {
    loop {
        let waiting = simulator(test).take_deliveries();
        if waiting.is_empty() {
            return;
        }
        for delivery in waiting {
            post_notice(test, &delivery).await;
        }
        test.settle().await;
    }
}

/// Until nothing more happens: all notices in, all queries asked.
async fn come_to_rest(test: &TestApp) {
    simulator(test).set_faults(Faults::default());
    for _ in 0..6 {
        test.settle().await;
        deliver_all(test).await;
        test.advance_ms(61 * MINUTE_MS).await;
    }
}

async fn sound(test: &TestApp) -> LedgerReport {
    let report = ledger::verify(&test.app.db).await.unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    report
}

/// An account that only pays.
async fn payer(test: &TestApp) -> UserId {
    let app = &test.app;
    let id: UserId = app.entropy.id(app.clock.now());
    let new = NewAccount {
        id,
        tenant: app.tenant,
        role: Role::Patient,
        account_name: None,
        phone: None,
        name: None,
        sex: None,
        birth_date: None,
        password_hash: None,
        functions: Vec::new(),
    };
    let mut tx = app.db.begin().await.unwrap();
    assert!(crate::accounts::insert_account(app, &mut tx, &new).await.unwrap());
    app.commit(tx).await.unwrap();
    id
}
