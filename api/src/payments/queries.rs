//! The SQL of payments and refunds. Nothing here is scoped by a person: callers have found the order as its owner before.

use super::{PaymentId, PaymentRow, PaymentState, RefundId, RefundRow};
use crate::{
    db::{DbError, Tx},
    ledger::Channel,
    orders::OrderId,
    sql,
    state::App,
};
use chat::ids::Timestamp;

pub(crate) async fn find_unscoped(tx: &mut Tx, id: PaymentId) -> Result<PaymentRow, DbError> {
    tx.one(sql!(
        "SELECT id, order_id, out_trade_no, amount_fen, state, prepay_id, code_url, transaction_id, captured_at, refund_reserved_fen,
                queries, version, created_at
         FROM payments WHERE id = $1",
        id
    ))
    .await
}

pub(super) async fn read_unscoped(app: &App, id: PaymentId) -> Result<Option<PaymentRow>, DbError> {
    app.db
        .first(sql!(
            "SELECT id, order_id, out_trade_no, amount_fen, state, prepay_id, code_url, transaction_id, captured_at, refund_reserved_fen,
                    queries, version, created_at
             FROM payments WHERE id = $1",
            id
        ))
        .await
}

pub(super) async fn find_by_number_unscoped(app: &App, out_trade_no: &str) -> Result<Option<PaymentRow>, DbError> {
    app.db
        .first(sql!(
            "SELECT id, order_id, out_trade_no, amount_fen, state, prepay_id, code_url, transaction_id, captured_at, refund_reserved_fen,
                    queries, version, created_at
             FROM payments WHERE out_trade_no = $1",
            out_trade_no
        ))
        .await
}

/// The one payment of an order that money may still arrive by.
pub(super) async fn find_live(tx: &mut Tx, order: OrderId, channel: Channel) -> Result<Option<PaymentRow>, DbError> {
    tx.first(sql!(
        "SELECT id, order_id, out_trade_no, amount_fen, state, prepay_id, code_url, transaction_id, captured_at, refund_reserved_fen,
                queries, version, created_at
         FROM payments WHERE order_id = $1 AND channel = $2 AND state IN ('init', 'prepaid', 'unknown')",
        order,
        channel.code()
    ))
    .await
}

pub(crate) async fn captured_of(tx: &mut Tx, order: OrderId) -> Result<Vec<PaymentRow>, DbError> {
    tx.all(sql!(
        "SELECT id, order_id, out_trade_no, amount_fen, state, prepay_id, code_url, transaction_id, captured_at, refund_reserved_fen,
                queries, version, created_at
         FROM payments WHERE order_id = $1 AND state = $2 ORDER BY id",
        order,
        PaymentState::Captured
    ))
    .await
}

pub(super) async fn live_of(tx: &mut Tx, order: OrderId) -> Result<Vec<PaymentRow>, DbError> {
    tx.all(sql!(
        "SELECT id, order_id, out_trade_no, amount_fen, state, prepay_id, code_url, transaction_id, captured_at, refund_reserved_fen,
                queries, version, created_at
         FROM payments WHERE order_id = $1 AND state IN ('init', 'prepaid', 'unknown') ORDER BY id",
        order
    ))
    .await
}

pub(super) async fn find_refund_unscoped(tx: &mut Tx, id: RefundId) -> Result<RefundRow, DbError> {
    tx.one(sql!(
        "SELECT id, order_id, payment_id, out_refund_no, amount_fen, state, reason, queries, version, created_at, finished_at
         FROM refunds WHERE id = $1",
        id
    ))
    .await
}

pub(super) async fn read_refund_unscoped(app: &App, id: RefundId) -> Result<Option<RefundRow>, DbError> {
    app.db
        .first(sql!(
            "SELECT id, order_id, payment_id, out_refund_no, amount_fen, state, reason, queries, version, created_at, finished_at
             FROM refunds WHERE id = $1",
            id
        ))
        .await
}

pub(super) async fn find_refund_by_number_unscoped(app: &App, out_refund_no: &str) -> Result<Option<RefundRow>, DbError> {
    app.db
        .first(sql!(
            "SELECT id, order_id, payment_id, out_refund_no, amount_fen, state, reason, queries, version, created_at, finished_at
             FROM refunds WHERE out_refund_no = $1",
            out_refund_no
        ))
        .await
}

pub(super) async fn refunds_in(tx: &mut Tx, order: OrderId) -> Result<Vec<RefundRow>, DbError> {
    tx.all(sql!(
        "SELECT id, order_id, payment_id, out_refund_no, amount_fen, state, reason, queries, version, created_at, finished_at
         FROM refunds WHERE order_id = $1 ORDER BY created_at, id",
        order
    ))
    .await
}

pub(super) async fn refunds_of(app: &App, order: OrderId) -> Result<Vec<RefundRow>, DbError> {
    app.db
        .all(sql!(
            "SELECT id, order_id, payment_id, out_refund_no, amount_fen, state, reason, queries, version, created_at, finished_at
             FROM refunds WHERE order_id = $1 ORDER BY created_at, id",
            order
        ))
        .await
}

/// Moves a payment from the version the caller read.
pub(super) async fn save(tx: &mut Tx, row: &PaymentRow, state: PaymentState, captured: Option<(&str, Timestamp)>) -> Result<bool, DbError> {
    let (transaction_id, at) = captured.unzip();
    tx.run_one(sql!(
        "UPDATE payments SET state = $1, transaction_id = $2, captured_at = $3, version = version + 1 WHERE id = $4 AND version = $5",
        state,
        transaction_id,
        at,
        row.id,
        row.version
    ))
    .await
}
