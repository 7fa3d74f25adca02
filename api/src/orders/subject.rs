//! What an order pays for hears about the money here, in the same transaction. The one place that knows the kinds.
//!
//! Boxed, because a subject that hears of a refund may itself cause the next step of the order.

use super::{OrderRow, RefundState};
use crate::{db::Tx, payments::MoneyError, state::App};
use futures_util::future::BoxFuture;

/// The order was paid. False: the service cannot begin any more, the money has to go back.
pub(super) fn paid<'a>(_app: &'a App, _tx: &'a mut Tx, _order: &'a OrderRow) -> BoxFuture<'a, Result<bool, MoneyError>> {
    Box::pin(async move { Ok(true) })
}

/// Money is on its way back, has arrived, or cannot. A service that has not begun must not begin any more.
pub(super) fn refund_changed<'a>(
    _app: &'a App,
    _tx: &'a mut Tx,
    _order: &'a OrderRow,
    _state: RefundState,
) -> BoxFuture<'a, Result<(), MoneyError>> {
    Box::pin(async move { Ok(()) })
}
