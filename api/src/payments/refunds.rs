//! Refunds on their way: decided and booked in the caller's transaction, sent by the outbox, followed by a timer.
//!
//! Σ refunds ≤ captured holds by a conditional update on the payment's row. The number is made once; sending it again is
//! harmless, which is what makes lost answers and crashes harmless.

use super::{
    Asked, Gateway, MoneyError, PaymentRow, PaymentState, Refund, RefundId, RefundInput, RefundReason, RefundRow, Trouble,
    gateway::Wechat,
    queries, query_delay_ms,
    wechat::types::{RefundAnswer, RefundRequest, RefundRequestAmount, RefundStatus},
};
use crate::{
    db::{DbError, Tx},
    failpoint,
    keys::Place,
    ledger::{self, Channel, Fen, Transaction},
    orders::{self, OrderId, RefundState, RefundView},
    outbox::{self, HandlerError, Message},
    sql,
    state::App,
    timers::{self, Timer},
};
use chat::ids::UserId;
use serde::{Deserialize, Serialize};

pub(super) const SEND_TOPIC: &str = "payments.refund";
pub(super) const FOLLOW_TIMER: &str = "payments.refund_follow";
const OPEN: &str = "open";

#[derive(Debug, Serialize, Deserialize)]
struct Send {
    refund: RefundId,
}

/// A decision to give money back, with what it was made from.
#[derive(Debug)]
pub(crate) struct NewRefund<'a> {
    pub payment: &'a PaymentRow,
    pub amount: Fen,
    pub reason: RefundReason,
    pub asked: Option<Asked>,
    pub inputs: &'a serde_json::Value,
}

/// The patient's words are his own.
pub(crate) async fn seal_note(app: &App, patient: UserId, order: OrderId, note: &str) -> Result<Vec<u8>, crate::keys::KeyError> {
    let place = Place { table: "refunds", column: "note", row: order.0 };
    Ok(app.keys.person(patient).await?.seal(&app.entropy, place, note.as_bytes()))
}

pub(crate) async fn approve_refund(app: &App, tx: &mut Tx, new: NewRefund<'_>) -> Result<RefundId, MoneyError> {
    let now = app.clock.now();
    let (payment, id): (&PaymentRow, RefundId) = (new.payment, app.entropy.id(now));
    let reserved = tx
        .run_one(sql!(
            "UPDATE payments SET refund_reserved_fen = refund_reserved_fen + $1, version = version + 1
             WHERE id = $2 AND state = $3 AND refund_reserved_fen + $1 <= amount_fen",
            new.amount,
            payment.id,
            PaymentState::Captured
        ))
        .await?;
    if !reserved {
        return Err(Trouble::RefundExceedsPayment.into());
    }
    let number = super::channel_number(app);
    let (by, note) = new.asked.map(|asked| (asked.by, asked.note_sealed)).unzip();
    tx.run(sql!(
        "INSERT INTO refunds (id, order_id, payment_id, out_refund_no, amount_fen, state, reason, requested_by, note_sealed, inputs, queries,
                              version, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 1, $11)",
        id, payment.order_id, payment.id, number, new.amount, Refund::Approved.code(), new.reason, by, note, new.inputs.to_string(), now
    ))
    .await?;
    ledger::post(app, tx, &Transaction::refund_due(payment.order_id.0, &number, new.amount)).await?;
    outbox::enqueue(app, tx, SEND_TOPIC, id.0, &Send { refund: id }).await?;
    follow_later(app, tx, id, 0).await?;
    orders::on_refund_moved(app, tx, payment.order_id).await?;
    tracing::info!(refund = %id, order = %payment.order_id, reason = %new.reason, "payments.refund_approved");
    Ok(id)
}

/// One refund state for an order out of all its refunds. A second payment's way back is not the order's refund.
pub(crate) async fn refund_state_of(tx: &mut Tx, order: OrderId) -> Result<RefundState, DbError> {
    let refunds = queries::refunds_in(tx, order).await?;
    let states: Vec<Refund> = refunds
        .iter()
        .filter(|refund| refund.reason != RefundReason::PaidTwice)
        .filter_map(|refund| Refund::from_code(&refund.state))
        .collect();
    let any = |wanted: &[Refund]| states.iter().any(|state| wanted.contains(state));
    Ok(if any(&[Refund::Abnormal]) {
        RefundState::Failed
    } else if any(&[Refund::Approved, Refund::Processing, Refund::Closed]) {
        RefundState::Processing
    } else if any(&[Refund::Requested]) {
        RefundState::Requested
    } else if any(&[Refund::Success]) {
        RefundState::Refunded
    } else if any(&[Refund::Denied]) {
        RefundState::Denied
    } else {
        RefundState::None
    })
}

pub(crate) async fn refunds_of(app: &App, order: OrderId) -> Result<Vec<RefundView>, DbError> {
    let rows = queries::refunds_of(app, order).await?;
    Ok(rows
        .into_iter()
        .map(|row| RefundView {
            id: row.id.0,
            amount_fen: row.amount_fen.get(),
            state: row.state,
            reason: row.reason.to_string(),
            created_at: row.created_at,
            finished_at: row.finished_at,
        })
        .collect())
}

/// Outbox [`SEND_TOPIC`]: hands the refund to the channel, until the channel has it.
pub(super) async fn send(app: App, message: Message) -> Result<(), HandlerError> {
    let Send { refund } = message.payload()?;
    let Gateway::Wechat(wechat) = &app.payments else { return Err(HandlerError::Temporary("no payment channel is configured".into())) };
    submit(&app, wechat, refund).await
}

/// Timer [`FOLLOW_TIMER`]: asks what became of it; sends it again when the channel gave up or never heard of it.
pub(super) async fn follow(app: App, timer: Timer) -> Result<(), HandlerError> {
    let Gateway::Wechat(wechat) = &app.payments else { return Ok(()) };
    let id = RefundId::from(timer.object);
    let Some(row) = queries::read_refund_unscoped(&app, id).await? else { return Ok(()) };
    let Some(state) = Refund::from_code(&row.state).filter(|state| !state.is_settled()) else { return Ok(()) };
    let asked = if state == Refund::Closed { send_again(&app, wechat, id).await } else { ask(&app, wechat, &row).await };
    if let Err(error) = asked {
        tracing::warn!(refund = %id, error = %error, "payments.refund_follow_failed");
    }
    let mut tx = app.db.begin().await?;
    tx.run(sql!("UPDATE refunds SET queries = queries + 1 WHERE id = $1", id)).await?;
    follow_later(&app, &mut tx, id, row.queries + 1).await?;
    app.commit(tx).await?;
    Ok(())
}

async fn ask(app: &App, wechat: &Wechat, row: &RefundRow) -> Result<(), HandlerError> {
    match wechat.client.query_refund(&row.out_refund_no).await {
        Ok(answer) => believe(app, row.id, row, &answer).await,
        Err(error) if error.refusal() == Some("RESOURCE_NOT_EXISTS") => submit(app, wechat, row.id).await,
        Err(error) => Err(HandlerError::temporary(&error)),
    }
}

async fn send_again(app: &App, wechat: &Wechat, id: RefundId) -> Result<(), HandlerError> {
    let mut tx = app.db.begin().await?;
    apply(app, &mut tx, id, RefundInput::SendAgain).await?;
    app.commit(tx).await?;
    submit(app, wechat, id).await
}

async fn submit(app: &App, wechat: &Wechat, id: RefundId) -> Result<(), HandlerError> {
    let Some(row) = queries::read_refund_unscoped(app, id).await? else { return Ok(()) };
    if Refund::from_code(&row.state).is_none_or(Refund::is_settled) {
        return Ok(());
    }
    let Some(payment) = queries::read_unscoped(app, row.payment_id).await? else { return Ok(()) };
    let request = RefundRequest {
        out_trade_no: payment.out_trade_no,
        out_refund_no: row.out_refund_no.clone(),
        reason: row.reason.to_string(),
        notify_url: format!("{}{}", wechat.notify_base, super::REFUND_CALLBACK),
        amount: RefundRequestAmount { refund: row.amount_fen, total: payment.amount_fen, currency: "CNY".into() },
    };
    failpoint::reach("refund.before_channel").await;
    let answered = wechat.client.refund(&request).await;
    failpoint::reach("refund.after_channel").await;
    match answered {
        Ok(answer) => believe(app, id, &row, &answer).await,
        Err(error) if error.refusal().is_some() => {
            tracing::error!(refund = %id, error = %crate::http::causes(&error), "payments.refund_refused");
            let mut tx = app.db.begin().await?;
            apply(app, &mut tx, id, RefundInput::Abnormal).await?;
            app.commit(tx).await?;
            Ok(())
        }
        Err(error) => Err(HandlerError::temporary(&error)),
    }
}

async fn believe(app: &App, id: RefundId, row: &RefundRow, answer: &RefundAnswer) -> Result<(), HandlerError> {
    if answer.out_refund_no != row.out_refund_no {
        return Err(HandlerError::permanent(&Trouble::OtherNumber));
    }
    if answer.amount.refund != row.amount_fen {
        return Err(HandlerError::permanent(&Trouble::OtherAmount));
    }
    let mut tx = app.db.begin().await?;
    apply(app, &mut tx, id, input_of(answer.status)).await?;
    failpoint::reach("refund.before_learned").await;
    app.commit(tx).await?;
    failpoint::reach("refund.after_learned").await;
    Ok(())
}

pub(super) fn input_of(status: RefundStatus) -> RefundInput {
    match status {
        RefundStatus::Success => RefundInput::Success,
        RefundStatus::Closed => RefundInput::Closed,
        RefundStatus::Processing => RefundInput::Processing,
        RefundStatus::Abnormal => RefundInput::Abnormal,
    }
}

/// Moves a refund, once: state, ledger, order and timer in one transaction.
pub(super) async fn apply(app: &App, tx: &mut Tx, id: RefundId, input: RefundInput) -> Result<(), MoneyError> {
    let row = queries::find_refund_unscoped(tx, id).await?;
    let before = Refund::from_code(&row.state).ok_or(DbError::Unreadable("refund state"))?;
    let after = before.apply(input)?;
    if after == before {
        return Ok(());
    }
    let finished_at = after.is_settled().then(|| app.clock.now());
    let moved = tx
        .run_one(sql!(
            "UPDATE refunds SET state = $1, finished_at = $2, version = version + 1 WHERE id = $3 AND version = $4",
            after.code(),
            finished_at,
            id,
            row.version
        ))
        .await?;
    if !moved {
        return Err(MoneyError::Moved);
    }
    if after == Refund::Success {
        ledger::post(app, tx, &Transaction::refund_paid(row.order_id.0, Channel::Wechat, &row.out_refund_no, row.amount_fen)).await?;
    }
    if after.is_settled() {
        timers::cancel(tx, FOLLOW_TIMER, id.0).await?;
    }
    if after == Refund::Abnormal {
        tracing::error!(refund = %id, order = %row.order_id, "payments.refund_abnormal");
    }
    orders::on_refund_moved(app, tx, row.order_id).await
}

async fn follow_later(app: &App, tx: &mut Tx, id: RefundId, attempt: i64) -> Result<(), DbError> {
    let row = queries::find_refund_unscoped(tx, id).await?;
    if Refund::from_code(&row.state).is_none_or(Refund::is_settled) {
        return Ok(());
    }
    timers::schedule(app, tx, FOLLOW_TIMER, id.0, OPEN, app.clock.now().plus_ms(query_delay_ms(attempt + 1))).await
}
