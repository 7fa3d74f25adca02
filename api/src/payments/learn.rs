//! Applies a verified fact to a payment, once: state, ledger, order and timers in one transaction.
//!
//! Notices, queries and answers all end here, so that it does not matter which of them comes first or how often.

use super::{
    Fact, MoneyError, Payment, PaymentId, PaymentRow, PaymentState, Trouble, queries, query_delay_ms,
    wechat::types::{Trade, TradeState},
};
use crate::{
    db::Tx,
    ledger::{self, Channel, Transaction},
    orders,
    state::App,
    timers,
};
use chat::ids::Timestamp;

/// Timer: ask the channel what became of a payment nobody told us about.
pub(super) const QUERY_TIMER: &str = "payments.query";
/// What the query timer expects: the payment is still open.
const LIVE: &str = "live";

pub(super) async fn learn(app: &App, tx: &mut Tx, id: PaymentId, fact: Fact) -> Result<PaymentRow, MoneyError> {
    let row = queries::find_unscoped(tx, id).await?;
    let before = row.machine()?;
    let after = before.clone().learn(fact)?;
    if after == before {
        return Ok(row);
    }
    let (state, captured) = stored(&after);
    if !queries::save(tx, &row, state, captured).await? {
        return Err(MoneyError::Moved);
    }
    if !after.is_live() {
        timers::cancel(tx, QUERY_TIMER, id.0).await?;
    }
    if let Payment::Captured { at, .. } = &after {
        ledger::post(app, tx, &Transaction::capture(row.order_id.0, Channel::Wechat, &row.out_trade_no, row.amount_fen)).await?;
        orders::on_captured(app, tx, row.order_id, id, *at).await?;
        tracing::info!(payment = %id, order = %row.order_id, "payments.captured");
    }
    Ok(queries::find_unscoped(tx, id).await?)
}

fn stored(payment: &Payment) -> (PaymentState, Option<(&str, Timestamp)>) {
    match payment {
        Payment::Init => (PaymentState::Init, None),
        Payment::Prepaid => (PaymentState::Prepaid, None),
        Payment::Unknown => (PaymentState::Unknown, None),
        Payment::Closed => (PaymentState::Closed, None),
        Payment::Captured { transaction_id, at } => (PaymentState::Captured, Some((transaction_id, *at))),
    }
}

/// Sets the next query of an open payment, later each time.
pub(super) async fn ask_later(app: &App, tx: &mut Tx, row: &PaymentRow) -> Result<(), MoneyError> {
    if row.machine()?.is_live() {
        let due_at = app.clock.now().plus_ms(query_delay_ms(row.queries));
        timers::schedule(app, tx, QUERY_TIMER, row.id.0, LIVE, due_at).await?;
    }
    Ok(())
}

/// What the channel's word about a payment means, if it really is about this one.
pub(super) fn fact_of(trade: &Trade, row: &PaymentRow, mchid: &str, appid: &str) -> Result<Fact, Trouble> {
    if trade.mchid != mchid || trade.appid != appid {
        return Err(Trouble::OtherMerchant);
    }
    if trade.out_trade_no != row.out_trade_no {
        return Err(Trouble::OtherNumber);
    }
    if let Some(amount) = &trade.amount
        && (amount.total != row.amount_fen || amount.currency != "CNY")
    {
        return Err(Trouble::OtherAmount);
    }
    match trade.trade_state {
        // A failed try is not the end: only a closed order takes no money any more.
        TradeState::NotPay | TradeState::UserPaying | TradeState::PayError => Ok(Fact::NotPaid),
        TradeState::Closed | TradeState::Revoked => Ok(Fact::Closed),
        TradeState::Success | TradeState::Refund => {
            let transaction_id = trade.transaction_id.clone().filter(|id| !id.is_empty() && id.len() <= 64).ok_or(Trouble::Incomplete)?;
            trade.amount.as_ref().ok_or(Trouble::Incomplete)?;
            let at = trade.success_time.as_deref().and_then(moment).ok_or(Trouble::Incomplete)?;
            Ok(Fact::Captured { transaction_id, at })
        }
    }
}

fn moment(rfc3339: &str) -> Option<Timestamp> {
    let at = time::OffsetDateTime::parse(rfc3339, &time::format_description::well_known::Rfc3339).ok()?;
    at.unix_timestamp().checked_mul(1_000).map(Timestamp)
}
