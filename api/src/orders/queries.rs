//! The SQL of orders. Reads for people take the [`Actor`] first; what belongs to somebody else is not there.

use super::{OrderFilter, OrderId, OrderRow};
use crate::{
    authz::Actor,
    db::{DbError, Tx},
    sql,
    state::App,
};
use uuid::Uuid;

pub(crate) async fn find(app: &App, actor: &Actor, id: OrderId) -> Result<Option<OrderRow>, DbError> {
    app.db
        .first(sql!(
            "SELECT id, order_no, patient, subject_kind, subject_id, title, amount_fen, state, refund_state, stage, version,
                    created_at, expires_at, paid_at
             FROM orders WHERE id = $1 AND patient = $2 AND tenant = $3",
            id,
            actor.user,
            actor.tenant
        ))
        .await
}

/// For the slice of the service, which has checked who asks.
pub async fn of_consultation_unscoped(app: &App, consultation: Uuid) -> Result<Option<OrderRow>, DbError> {
    app.db
        .first(sql!(
            "SELECT id, order_no, patient, subject_kind, subject_id, title, amount_fen, state, refund_state, stage, version,
                    created_at, expires_at, paid_at
             FROM orders WHERE subject_kind = $1 AND subject_id = $2",
            super::CONSULTATION,
            consultation
        ))
        .await
}

pub(super) async fn list(app: &App, actor: &Actor, filter: Option<OrderFilter>, window: (i64, i64)) -> Result<Vec<OrderRow>, DbError> {
    app.db
        .all(sql!(
            "SELECT id, order_no, patient, subject_kind, subject_id, title, amount_fen, state, refund_state, stage, version,
                    created_at, expires_at, paid_at
             FROM orders
             WHERE patient = $1 AND tenant = $2
               AND (CAST($3 AS TEXT) IS NULL OR $3 = CASE
                     WHEN refund_state IN ('requested', 'processing', 'failed', 'refunded') THEN 'refunding'
                     WHEN state = 'unpaid' THEN 'unpaid'
                     WHEN state = 'closed' OR stage = 'not_served' THEN 'cancelled'
                     WHEN stage = 'waiting' THEN 'paid'
                     WHEN stage = 'serving' THEN 'in_consultation'
                     ELSE 'completed' END)
             ORDER BY created_at DESC, id DESC LIMIT $4 OFFSET $5",
            actor.user,
            actor.tenant,
            filter,
            window.0,
            window.1
        ))
        .await
}

pub(super) async fn count(app: &App, actor: &Actor, filter: Option<OrderFilter>) -> Result<i64, DbError> {
    let total = app
        .db
        .scalar(sql!(
            "SELECT COUNT(*) FROM orders
             WHERE patient = $1 AND tenant = $2
               AND (CAST($3 AS TEXT) IS NULL OR $3 = CASE
                     WHEN refund_state IN ('requested', 'processing', 'failed', 'refunded') THEN 'refunding'
                     WHEN state = 'unpaid' THEN 'unpaid'
                     WHEN state = 'closed' OR stage = 'not_served' THEN 'cancelled'
                     WHEN stage = 'waiting' THEN 'paid'
                     WHEN stage = 'serving' THEN 'in_consultation'
                     ELSE 'completed' END)",
            actor.user,
            actor.tenant,
            filter
        ))
        .await?;
    total.ok_or(DbError::Missing)
}

/// For machinery that acts for nobody in particular.
pub(crate) async fn find_unscoped(tx: &mut Tx, id: OrderId) -> Result<OrderRow, DbError> {
    tx.one(sql!(
        "SELECT id, order_no, patient, subject_kind, subject_id, title, amount_fen, state, refund_state, stage, version,
                created_at, expires_at, paid_at
         FROM orders WHERE id = $1",
        id
    ))
    .await
}

pub(super) async fn find_of_subject_unscoped(tx: &mut Tx, kind: &str, subject: Uuid) -> Result<Option<OrderRow>, DbError> {
    tx.first(sql!(
        "SELECT id, order_no, patient, subject_kind, subject_id, title, amount_fen, state, refund_state, stage, version,
                created_at, expires_at, paid_at
         FROM orders WHERE subject_kind = $1 AND subject_id = $2",
        kind,
        subject
    ))
    .await
}
