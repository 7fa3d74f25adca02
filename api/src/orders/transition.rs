//! What happens to an order: opened, paid, closed, refunded. Each is a compare-and-set with a row of history, in the
//! transaction of whoever caused it; the subject hears of it in the same transaction.
//!
//! Money that arrives for an order that is not waiting for it (closed meanwhile, or paid twice) is never kept: it goes back.

use super::{CONSULTATION, OrderId, OrderRow, OrderState, RefundState, Stage, announce, order_no, queries, subject};
use crate::{
    db::{DbError, Tx},
    ledger::Fen,
    payments::{self, MoneyError, PaymentId, RefundReason},
    sql,
    state::App,
};
use chat::ids::{Timestamp, UserId};
use serde_json::json;
use uuid::Uuid;

/// What the caller knows about an order that is to be.
#[derive(Clone, Debug)]
pub struct NewOrder {
    pub patient: UserId,
    /// The id of the consultation this is for; one order each.
    pub consultation: Uuid,
    /// Shown to the patient and to the payment channel: no name of a patient, no complaint.
    pub title: String,
    pub amount: Fen,
    /// When the channel stops taking the money. The caller closes the order then, with [`close_unpaid`].
    pub expires_at: Timestamp,
}

/// Opens an order for a consultation (ORD-01); its price is the snapshot given here.
pub async fn open(app: &App, tx: &mut Tx, new: NewOrder) -> Result<OrderId, DbError> {
    open_for(app, tx, CONSULTATION, new).await
}

pub(crate) async fn open_for(app: &App, tx: &mut Tx, kind: &'static str, new: NewOrder) -> Result<OrderId, DbError> {
    let now = app.clock.now();
    let id: OrderId = app.entropy.id(now);
    let mut inserted = false;
    // Two orders of a day meet in nine random digits once in a billion; a second draw settles it.
    for _ in 0..4 {
        let number = order_no(now, &app.entropy);
        inserted = tx
            .run_one(sql!(
                "INSERT INTO orders (id, tenant, order_no, patient, subject_kind, subject_id, title, amount_fen, state, refund_state, stage,
                                     version, created_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $13) ON CONFLICT (order_no) DO NOTHING",
                id, app.tenant, number, new.patient, kind, new.consultation, new.title, new.amount, OrderState::Unpaid,
                RefundState::None, Stage::Waiting, now, new.expires_at
            ))
            .await?;
        if inserted {
            break;
        }
    }
    if !inserted {
        return Err(DbError::Duplicate);
    }
    record(app, tx, id, 1, "opened", Some(new.patient), &json!({ "amount_fen": new.amount })).await?;
    Ok(id)
}

/// Nobody will pay any more: closes the order and its payments at the channel. False when there was nothing to close.
pub async fn close_unpaid(app: &App, tx: &mut Tx, consultation: Uuid, reason: &'static str) -> Result<bool, DbError> {
    let Some(order) = queries::find_of_subject_unscoped(tx, CONSULTATION, consultation).await? else { return Ok(false) };
    close(app, tx, &order, reason).await
}

pub(crate) async fn close(app: &App, tx: &mut Tx, order: &OrderRow, reason: &'static str) -> Result<bool, DbError> {
    let closed = tx
        .run_one(sql!(
            "UPDATE orders SET state = $1, version = version + 1 WHERE id = $2 AND version = $3 AND state = $4",
            OrderState::Closed,
            order.id,
            order.version,
            OrderState::Unpaid
        ))
        .await?;
    if !closed {
        return Ok(false);
    }
    record(app, tx, order.id, order.version + 1, "closed", None, &json!({ "reason": reason })).await?;
    payments::close_all(app, tx, order.id).await?;
    announce::moved(app, tx, order).await?;
    Ok(true)
}

/// Gives back whatever was captured for the consultation's order and is not on its way back already. Nothing paid, nothing done.
pub async fn refund_in_full(app: &App, tx: &mut Tx, consultation: Uuid, reason: RefundReason) -> Result<(), MoneyError> {
    let Some(order) = queries::find_of_subject_unscoped(tx, CONSULTATION, consultation).await? else { return Ok(()) };
    refund(app, tx, &order, reason, None, &json!({ "by": "policy" })).await
}

pub(crate) async fn refund(
    app: &App,
    tx: &mut Tx,
    order: &OrderRow,
    reason: RefundReason,
    asked: Option<payments::Asked>,
    inputs: &serde_json::Value,
) -> Result<(), MoneyError> {
    for payment in payments::captured_of(tx, order.id).await? {
        if let Some(left) = payment.refundable() {
            let request = payments::NewRefund { payment: &payment, amount: left, reason, asked: asked.clone(), inputs };
            payments::approve_refund(app, tx, request).await?;
        }
    }
    Ok(())
}

/// A payment of this order was captured and posted. Either the order was waiting for it, or the money goes back.
pub(crate) async fn on_captured(app: &App, tx: &mut Tx, order: OrderId, payment: PaymentId, at: Timestamp) -> Result<(), MoneyError> {
    let row = queries::find_unscoped(tx, order).await?;
    let paid = tx
        .run_one(sql!(
            "UPDATE orders SET state = $1, paid_at = $2, version = version + 1 WHERE id = $3 AND version = $4 AND state = $5",
            OrderState::Paid,
            at,
            order,
            row.version,
            OrderState::Unpaid
        ))
        .await?;
    if paid {
        record(app, tx, order, row.version + 1, "paid", None, &json!({ "payment": payment })).await?;
        let taken = subject::paid(app, tx, &row).await?;
        if taken {
            return announce::changed(app, tx, &row, announce::PAID).await;
        }
        return give_back(app, tx, payment, RefundReason::PaidAfterClose, &json!({ "subject": "too_late" })).await;
    }
    if row.state == OrderState::Unpaid {
        // Somebody moved the order between our read and our write; the caller's transaction is tried again.
        return Err(MoneyError::Moved);
    }
    let reason = if row.state == OrderState::Paid { RefundReason::PaidTwice } else { RefundReason::PaidAfterClose };
    give_back(app, tx, payment, reason, &json!({ "order_state": row.state })).await
}

async fn give_back(app: &App, tx: &mut Tx, payment: PaymentId, reason: RefundReason, inputs: &serde_json::Value) -> Result<(), MoneyError> {
    let payment = payments::find_unscoped(tx, payment).await?;
    let Some(amount) = payment.refundable() else { return Ok(()) };
    payments::approve_refund(app, tx, payments::NewRefund { payment: &payment, amount, reason, asked: None, inputs }).await?;
    Ok(())
}

/// A refund of this order moved: folds all of them into the order's one refund state and tells whom it concerns.
pub(crate) async fn on_refund_moved(app: &App, tx: &mut Tx, order: OrderId) -> Result<(), MoneyError> {
    let row = queries::find_unscoped(tx, order).await?;
    let state = payments::refund_state_of(tx, order).await?;
    if state == row.refund_state {
        return Ok(());
    }
    let moved = tx
        .run_one(sql!(
            "UPDATE orders SET refund_state = $1, version = version + 1 WHERE id = $2 AND version = $3",
            state,
            order,
            row.version
        ))
        .await?;
    if !moved {
        return Err(MoneyError::Moved);
    }
    record(app, tx, order, row.version + 1, "refund_state", None, &json!({ "refund_state": state })).await?;
    subject::refund_changed(app, tx, &row, state).await?;
    match announce::of_refund(state) {
        Some(words) => announce::changed(app, tx, &row, words).await,
        None => Ok(announce::moved(app, tx, &row).await?),
    }
}

/// The service moved on; only words for people and the refund policy hang on it.
pub async fn set_stage(tx: &mut Tx, consultation: Uuid, stage: Stage) -> Result<(), DbError> {
    tx.run(sql!("UPDATE orders SET stage = $1 WHERE subject_kind = $2 AND subject_id = $3", stage, CONSULTATION, consultation)).await?;
    Ok(())
}

pub(super) async fn record(
    app: &App,
    tx: &mut Tx,
    order: OrderId,
    version: i64,
    event: &'static str,
    actor: Option<UserId>,
    inputs: &serde_json::Value,
) -> Result<(), DbError> {
    tx.run(sql!(
        "INSERT INTO order_events (order_id, version, event, actor, inputs, at) VALUES ($1, $2, $3, $4, $5, $6)",
        order,
        version,
        event,
        actor,
        inputs.to_string(),
        app.clock.now()
    ))
    .await?;
    Ok(())
}
