//! Tells the patient that his order moved (PAY-06): his screens at once, his message centre for what he should read.

use super::{OrderId, OrderRow, RefundState};
use crate::{
    db::{DbError, Tx},
    notifications::{self, Category},
    outbox::{self, HandlerError, Message},
    payments::MoneyError,
    state::App,
};
use chat::ids::UserId;
use serde::{Deserialize, Serialize};

pub(crate) const TOPIC: &str = "orders.changed";

/// What the message centre says.
pub(super) type Words = (&'static str, &'static str);

pub(super) const PAID: Words = ("支付成功", "您的订单已支付成功。");
const REFUNDING: Words = ("退款处理中", "您的退款已受理，将原路退回。");
const REFUNDED: Words = ("退款成功", "退款已原路退回，请留意到账。");
const REFUND_FAILED: Words = ("退款需要人工处理", "原支付账户无法退款，工作人员将与您联系。");
const FAILED: Words = ("支付未成功", "本次支付未成功，您可以重新支付。");

pub(super) fn of_refund(state: RefundState) -> Option<Words> {
    match state {
        RefundState::Processing => Some(REFUNDING),
        RefundState::Refunded => Some(REFUNDED),
        RefundState::Failed => Some(REFUND_FAILED),
        RefundState::None | RefundState::Requested | RefundState::Denied => None,
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Changed {
    order: OrderId,
    patient: UserId,
}

pub(crate) async fn changed(app: &App, tx: &mut Tx, order: &OrderRow, words: Words) -> Result<(), MoneyError> {
    let (title, text) = words;
    let new = notifications::New { user: order.patient, category: Category::Order, title, text, link: Some(("order", order.id.0)) };
    notifications::notify(app, tx, new).await.map_err(MoneyError::Neighbour)?;
    moved(app, tx, order).await?;
    Ok(())
}

/// Only the screens.
pub(super) async fn moved(app: &App, tx: &mut Tx, order: &OrderRow) -> Result<(), DbError> {
    outbox::enqueue(app, tx, TOPIC, order.id.0, &Changed { order: order.id, patient: order.patient }).await
}

/// The bank refused; the order still waits (PAY-06).
pub(crate) async fn tell_payment_failed(app: &App, tx: &mut Tx, order: &OrderRow) -> Result<(), MoneyError> {
    changed(app, tx, order, FAILED).await
}

/// Outbox: the patient's screens reload the order.
pub(super) async fn tell(app: App, message: Message) -> Result<(), HandlerError> {
    let Changed { order, patient } = message.payload()?;
    app.tell_changed(patient, "order", order.0);
    Ok(())
}
