//! `POST /api/orders/{id}/payments`: begins a payment of an order, or takes up the one that was begun.
//!
//! The number exists in our books before the channel hears it; an answer that is lost leaves UNKNOWN and a timer that asks.
//! Doing it twice gives the same payment: an order has one open payment per channel.

use super::{
    Fact, Gateway, MoneyError, PaymentId, PaymentRow, PaymentState,
    gateway::Wechat,
    learn::{ask_later, learn},
    queries, query,
    wechat::{
        CallUp, ChannelError,
        types::{Amount, Payer, PrepayRequest},
    },
};
use crate::{
    authz::Actor,
    failpoint,
    http::{Code, Json, Path, Problem, ProblemBody},
    ledger::Channel,
    orders::{self, OrderId, OrderRow, OrderState},
    sql,
    state::App,
};
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(super) const NOT_CONFIGURED: Code = Code::new(503, "payment_not_configured", "尚未开通在线支付");
const ORDER_PAID: Code = Code::new(409, "order_paid", "订单已支付");
const ORDER_CLOSED: Code = Code::new(409, "order_closed", "订单已关闭");
const CHANNEL_AWAY: Code = Code::temporary(503, "payment_channel_unavailable", "支付通道暂时不可用，请稍后再试");
const CHANNEL_REFUSED: Code = Code::temporary(502, "payment_channel_refused", "支付通道未受理，请重试");

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PayRequest {
    channel: Channel,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PaymentStarted {
    #[schema(value_type = uuid::Uuid)]
    payment_id: PaymentId,
    /// Present when the WeChat client is called up (JSAPI).
    #[serde(skip_serializing_if = "Option::is_none")]
    prepay_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pay_sign: Option<CallUp>,
    /// To be shown as a code to scan: instead of `prepay_id` and `pay_sign`, when the payer's WeChat account is not known to the installation.
    #[serde(skip_serializing_if = "Option::is_none")]
    code_url: Option<String>,
    /// The simulated cashier; demo only.
    #[serde(skip_serializing_if = "Option::is_none")]
    cashier_url: Option<String>,
}

/// Begins to pay an order, or takes up the payment that was begun.
///
/// Repeats give the same payment, without an `Idempotency-Key`. Payment is asynchronous: after the payer has paid, the order stays `unpaid`
/// until the channel's notice has come. Wait for `changed` on the socket (`order`, `consultation`) or for the conversation's first entry.
/// In the demo the money is paid by a form sent to `cashier_url`: `POST`, `application/x-www-form-urlencoded`, `action=pay` or `action=fail`.
#[utoipa::path(
    post, path = "/api/orders/{id}/payments", tag = "orders", params(("id" = uuid::Uuid, Path, description = "`Order.id`")), request_body = PayRequest,
    responses(
        (status = 201, body = PaymentStarted),
        (status = 409, body = ProblemBody, description = "`order_paid`, `order_closed`"),
        (status = 503, body = ProblemBody, description = "`payment_channel_unavailable`, `payment_not_configured`, `unavailable`"),
        (status = 502, body = ProblemBody, description = "`payment_channel_refused`: try again")
    )
)]
pub(super) async fn start(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<OrderId>,
    Json(request): Json<PayRequest>,
) -> Result<(StatusCode, Json<PaymentStarted>), Problem> {
    let Gateway::Wechat(wechat) = &app.payments else { return Err(NOT_CONFIGURED.into()) };
    let order = orders::find(&app, &actor, id).await?.ok_or_else(Problem::not_found)?;
    let payment = open_payment(&app, wechat, &order, request.channel).await?;
    let pay_sign = payment.prepay_id.as_deref().map(|prepay_id| wechat.client.call_up(prepay_id)).transpose();
    let pay_sign = pay_sign.map_err(|error| Problem::internal(&error))?;
    let cashier_url = wechat.simulator.as_ref().and(payment.prepay_id.as_ref()).map(|prepay_id| format!("/demo/cashier/{prepay_id}"));
    let started =
        PaymentStarted { payment_id: payment.id, prepay_id: payment.prepay_id, pay_sign, code_url: payment.code_url, cashier_url };
    Ok((StatusCode::CREATED, Json(started)))
}

/// The order's open payment as the channel knows it.
pub(super) async fn open_payment(app: &App, wechat: &Wechat, order: &OrderRow, channel: Channel) -> Result<PaymentRow, Problem> {
    let payment = begin(app, order.id, channel).await?;
    let placed = payment.prepay_id.is_some() || payment.code_url.is_some();
    if placed { Ok(payment) } else { place(app, wechat, order, &payment).await }
}

/// The open payment of the order, made if there is none.
async fn begin(app: &App, id: OrderId, channel: Channel) -> Result<PaymentRow, Problem> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let order = orders::find_unscoped(&mut tx, id).await?;
    match order.state {
        OrderState::Paid => return Err(ORDER_PAID.into()),
        OrderState::Closed => return Err(ORDER_CLOSED.into()),
        OrderState::Unpaid if now >= order.expires_at => return Err(ORDER_CLOSED.into()),
        OrderState::Unpaid => {}
    }
    let payment: PaymentId = app.entropy.id(now);
    let number = super::channel_number(app);
    tx.run(sql!(
        "INSERT INTO payments (id, order_id, channel, out_trade_no, amount_fen, state, refund_reserved_fen, queries, version, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 1, $7) ON CONFLICT DO NOTHING",
        payment,
        id,
        channel.code(),
        number,
        order.amount_fen,
        PaymentState::Init,
        now
    ))
    .await?;
    let live = queries::find_live(&mut tx, id, channel).await?.ok_or(MoneyError::Moved)?;
    ask_later(app, &mut tx, &live).await?;
    app.commit(tx).await?;
    Ok(live)
}

/// Tells the channel. Outside of any transaction; what it says is written in one.
async fn place(app: &App, wechat: &Wechat, order: &OrderRow, payment: &PaymentRow) -> Result<PaymentRow, Problem> {
    let merchant = wechat.client.merchant();
    let request = PrepayRequest {
        appid: merchant.appid.clone(),
        mchid: merchant.mchid.clone(),
        description: order.title.clone(),
        out_trade_no: payment.out_trade_no.clone(),
        time_expire: super::rfc3339(order.expires_at),
        notify_url: format!("{}{}", wechat.notify_base, super::PAYMENT_CALLBACK),
        amount: Amount { total: payment.amount_fen, currency: "CNY".into() },
        payer: wechat.openid_of(order.patient).map(|openid| Payer { openid }),
    };
    failpoint::reach("prepay.before_channel").await;
    match wechat.client.prepay(&request).await {
        Ok(answer) => {
            failpoint::reach("prepay.after_channel").await;
            let mut tx = app.db.begin().await?;
            tx.run(sql!(
                "UPDATE payments SET prepay_id = $1, code_url = $2 WHERE id = $3 AND prepay_id IS NULL AND code_url IS NULL",
                answer.prepay_id,
                answer.code_url,
                payment.id
            ))
            .await?;
            let row = learn(app, &mut tx, payment.id, Fact::Prepaid).await?;
            app.commit(tx).await?;
            if row.state == PaymentState::Closed { Err(ORDER_CLOSED.into()) } else { Ok(row) }
        }
        Err(error) if error.refusal() == Some("ORDERPAID") => {
            query::ask(app, wechat, payment).await?;
            Err(ORDER_PAID.into())
        }
        Err(error) => Err(not_placed(app, payment, &error).await?),
    }
}

async fn not_placed(app: &App, payment: &PaymentRow, error: &ChannelError) -> Result<Problem, Problem> {
    tracing::warn!(payment = %payment.id, error = %crate::http::causes(error), "payments.not_placed");
    let refused = error.refusal().is_some();
    let mut tx = app.db.begin().await?;
    learn(app, &mut tx, payment.id, if refused { Fact::Closed } else { Fact::NoAnswer }).await?;
    app.commit(tx).await?;
    Ok(if refused { CHANNEL_REFUSED.into() } else { Problem::from(CHANNEL_AWAY).retry_after_ms(3_000) })
}
