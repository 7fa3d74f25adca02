//! Asks the channel what it knows: by timer when no notice came, and before believing that a payment can be closed.

use super::{
    Fact, Gateway, MoneyError, PaymentId, PaymentRow,
    gateway::Wechat,
    learn::{ask_later, fact_of, learn},
    queries,
    wechat::{ChannelError, types::TradeState},
};
use crate::{
    db::{DbError, Tx},
    orders,
    outbox::{self, HandlerError, Message},
    sql,
    state::App,
    timers::Timer,
};
use serde::{Deserialize, Serialize};

pub(super) const CLOSE_TOPIC: &str = "payments.close";

#[derive(Debug, Serialize, Deserialize)]
struct Close {
    payment: PaymentId,
}

/// Closes every open payment of an order at the channel, soon.
pub(crate) async fn close_all(app: &App, tx: &mut Tx, order: orders::OrderId) -> Result<(), DbError> {
    for payment in queries::live_of(tx, order).await? {
        outbox::enqueue(app, tx, CLOSE_TOPIC, payment.id.0, &Close { payment: payment.id }).await?;
    }
    Ok(())
}

/// Timer [`super::learn::QUERY_TIMER`].
pub(super) async fn fire(app: App, timer: Timer) -> Result<(), HandlerError> {
    let Gateway::Wechat(wechat) = &app.payments else { return Ok(()) };
    let Some(row) = queries::read_unscoped(&app, PaymentId::from(timer.object)).await? else { return Ok(()) };
    if !row.machine()?.is_live() {
        return Ok(());
    }
    ask(&app, wechat, &row).await?;
    let mut tx = app.db.begin().await?;
    tx.run(sql!("UPDATE payments SET queries = queries + 1 WHERE id = $1", row.id)).await?;
    let row = queries::find_unscoped(&mut tx, row.id).await?;
    ask_later(&app, &mut tx, &row).await?;
    app.commit(tx).await?;
    Ok(())
}

/// One query and what follows from it. No answer is a fact too.
pub(super) async fn ask(app: &App, wechat: &Wechat, row: &PaymentRow) -> Result<PaymentRow, MoneyError> {
    let (fact, failed) = match wechat.client.query(&row.out_trade_no).await {
        Ok(trade) => {
            let merchant = wechat.client.merchant();
            let fact = fact_of(&trade, row, &merchant.mchid, &merchant.appid)?;
            // The bank refused. Closed at the channel first, so that this try can never bring money unnoticed.
            let failed = trade.trade_state == TradeState::PayError && wechat.client.close(&row.out_trade_no).await.is_ok();
            (if failed { Fact::Closed } else { fact }, failed)
        }
        Err(error) if error.refusal() == Some("ORDER_NOT_EXIST") => (Fact::NotPaid, false),
        Err(error) => {
            tracing::warn!(payment = %row.id, error = %crate::http::causes(&error), "payments.query_failed");
            (Fact::NoAnswer, false)
        }
    };
    let mut tx = app.db.begin().await?;
    let after = learn(app, &mut tx, row.id, fact).await?;
    if failed && after.state != row.state {
        let order = orders::find_unscoped(&mut tx, row.order_id).await?;
        orders::tell_payment_failed(app, &mut tx, &order).await?;
    }
    app.commit(tx).await?;
    Ok(after)
}

/// Outbox [`CLOSE_TOPIC`]: repeated until the channel says closed or paid.
pub(super) async fn close(app: App, message: Message) -> Result<(), HandlerError> {
    let Close { payment } = message.payload()?;
    let Gateway::Wechat(wechat) = &app.payments else { return Ok(()) };
    let Some(row) = queries::read_unscoped(&app, payment).await? else { return Ok(()) };
    if !row.machine()?.is_live() {
        return Ok(());
    }
    match wechat.client.close(&row.out_trade_no).await {
        Ok(()) => closed(&app, payment).await,
        Err(error) => match error.refusal() {
            Some("ORDERPAID") => {
                let after = ask(&app, wechat, &row).await?;
                if after.machine()?.is_live() { Err(unclear(&error)) } else { Ok(()) }
            }
            Some("ORDER_NOT_EXIST" | "ORDER_CLOSED") => closed(&app, payment).await,
            _ => Err(unclear(&error)),
        },
    }
}

async fn closed(app: &App, payment: PaymentId) -> Result<(), HandlerError> {
    let mut tx = app.db.begin().await?;
    learn(app, &mut tx, payment, Fact::Closed).await?;
    app.commit(tx).await?;
    Ok(())
}

fn unclear(error: &ChannelError) -> HandlerError {
    HandlerError::temporary(error)
}
