//! What an order pays for hears about the money here, in the same transaction. The one place that knows the kinds.
//!
//! Boxed, because a subject that hears of a refund may itself cause the next step of the order.

use super::{CONSULTATION, OrderRow, RefundState};
use crate::{
    consultations::{self, ConsultationId, Paid},
    db::Tx,
    payments::MoneyError,
    state::App,
};
use futures_util::future::BoxFuture;

/// The order was paid. False: the service cannot begin any more, the money has to go back.
pub(super) fn paid<'a>(app: &'a App, tx: &'a mut Tx, order: &'a OrderRow) -> BoxFuture<'a, Result<bool, MoneyError>> {
    Box::pin(async move {
        let Some(consultation) = consultation(order) else { return Ok(true) };
        let paid = consultations::on_paid(app, tx, consultation).await.map_err(MoneyError::subject)?;
        Ok(paid == Paid::Taken)
    })
}

/// Money is on its way back, has arrived, or cannot. A service that has not begun must not begin any more.
pub(super) fn refund_changed<'a>(
    app: &'a App,
    tx: &'a mut Tx,
    order: &'a OrderRow,
    _state: RefundState,
) -> BoxFuture<'a, Result<(), MoneyError>> {
    Box::pin(async move {
        let Some(consultation) = consultation(order) else { return Ok(()) };
        consultations::on_refund_changed(app, tx, consultation).await.map_err(MoneyError::subject)
    })
}

fn consultation(order: &OrderRow) -> Option<ConsultationId> {
    (order.subject_kind == CONSULTATION).then_some(ConsultationId(order.subject_id))
}
