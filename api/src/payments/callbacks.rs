//! Notices of the channel: verified on raw bytes, taken into the books, acknowledged; applied a moment later by the outbox.
//!
//! A notice changes nothing unless the platform signed it, our key opens it, and merchant, number and amount are ours. What is
//! refused is logged with its code, never with its body; what was signed and yet refused also leaves a row.

use super::{
    Fact, Gateway, MoneyError, PaymentId, RefundId, Trouble,
    gateway::Wechat,
    learn::{fact_of, learn},
    queries,
    refunds::{apply, input_of},
    wechat::{
        Envelope, ResourceError, SignatureError,
        types::{Failure, RefundNotice, RefundStatus, Trade},
        verify,
    },
};
use crate::{
    db::DbError,
    failpoint,
    outbox::{self, HandlerError, Message},
    row, sql,
    state::App,
};
use axum::{
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
};
use chat::ids::Timestamp;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(super) const APPLY_TOPIC: &str = "payments.notice";

/// Why a notice was not taken.
#[derive(Debug, thiserror::Error)]
enum Unbelieved {
    #[error("no payment channel is configured")]
    NotConfigured,
    #[error(transparent)]
    Signature(#[from] SignatureError),
    #[error(transparent)]
    Resource(#[from] ResourceError),
    #[error(transparent)]
    Trouble(#[from] Trouble),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Unbelieved {
    fn answer(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NotConfigured => (StatusCode::NOT_FOUND, "payment_not_configured"),
            Self::Signature(error) => (StatusCode::UNAUTHORIZED, error.code()),
            Self::Resource(error) => (StatusCode::BAD_REQUEST, error.code()),
            // The channel sends it again later; by then we may know the number.
            Self::Trouble(Trouble::UnknownNumber) => (StatusCode::NOT_FOUND, Trouble::UnknownNumber.code()),
            Self::Trouble(Trouble::Replayed) => (StatusCode::CONFLICT, Trouble::Replayed.code()),
            Self::Trouble(error) => (StatusCode::BAD_REQUEST, error.code()),
            Self::Db(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        }
    }

    fn was_signed(&self) -> bool {
        matches!(self, Self::Resource(_) | Self::Trouble(_))
    }
}

/// What a notice says, without anything about the payer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    Captured { payment: PaymentId, transaction_id: String, at: Timestamp },
    Refund { refund: RefundId, status: RefundStatus },
}

impl Said {
    fn kind(&self) -> &'static str {
        match self {
            Self::Captured { .. } => "payment",
            Self::Refund { .. } => "refund",
        }
    }

    fn object(&self) -> Uuid {
        match self {
            Self::Captured { payment, .. } => payment.0,
            Self::Refund { refund, .. } => refund.0,
        }
    }
}

/// WeChat Pay says that somebody paid.
#[utoipa::path(
    post, path = "/api/callbacks/wechat-pay/payments", tag = "callbacks", request_body(content = String, content_type = "application/json"),
    responses((status = 204, description = "taken"), (status = 401, description = "not signed by the platform"))
)]
pub(super) async fn payment_notice(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    answer(&app, "payment", take_payment(&app, &headers, &body).await).await
}

/// WeChat Pay says what became of a refund.
#[utoipa::path(
    post, path = "/api/callbacks/wechat-pay/refunds", tag = "callbacks", request_body(content = String, content_type = "application/json"),
    responses((status = 204, description = "taken"), (status = 401, description = "not signed by the platform"))
)]
pub(super) async fn refund_notice(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    answer(&app, "refund", take_refund(&app, &headers, &body).await).await
}

async fn answer(app: &App, kind: &'static str, taken: Result<(), Unbelieved>) -> Response {
    let Err(why) = taken else { return StatusCode::NO_CONTENT.into_response() };
    let (status, code) = why.answer();
    tracing::warn!(kind, code, error = %crate::http::causes(&why), "payments.notice_refused");
    metrics::counter!("wenzhen_payment_notices_refused_total", "code" => code).increment(1);
    if why.was_signed()
        && let Err(error) = keep_refusal(app, kind, code).await
    {
        tracing::error!(error = %crate::http::causes(&error), "payments.notice_refusal_not_kept");
    }
    (status, axum::Json(Failure { code: "FAIL".into(), message: code.into() })).into_response()
}

async fn take_payment(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<(), Unbelieved> {
    let Gateway::Wechat(wechat) = &app.payments else { return Err(Unbelieved::NotConfigured) };
    let merchant = wechat.client.merchant();
    let verified = verify(&merchant.platform, headers, body, app.clock.now())?;
    let envelope = Envelope::parse(&verified)?;
    let trade: Trade = envelope.open(&merchant.api_v3_key)?;
    let row = queries::find_by_number_unscoped(app, &trade.out_trade_no).await?.ok_or(Trouble::UnknownNumber)?;
    let Fact::Captured { transaction_id, at } = fact_of(&trade, &row, &merchant.mchid, &merchant.appid)? else {
        return Err(Trouble::Incomplete.into());
    };
    if row.transaction_id.as_ref().is_some_and(|known| *known != transaction_id) {
        return Err(Trouble::TransactionIdChanged.into());
    }
    keep(app, (verified.serial(), verified.nonce()), &envelope.id, &Said::Captured { payment: row.id, transaction_id, at }).await
}

async fn take_refund(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<(), Unbelieved> {
    let Gateway::Wechat(wechat) = &app.payments else { return Err(Unbelieved::NotConfigured) };
    let merchant = wechat.client.merchant();
    let verified = verify(&merchant.platform, headers, body, app.clock.now())?;
    let envelope = Envelope::parse(&verified)?;
    let notice: RefundNotice = envelope.open(&merchant.api_v3_key)?;
    let row = queries::find_refund_by_number_unscoped(app, &notice.out_refund_no).await?.ok_or(Trouble::UnknownNumber)?;
    check_refund(app, wechat, &notice, &row).await?;
    keep(app, (verified.serial(), verified.nonce()), &envelope.id, &Said::Refund { refund: row.id, status: notice.refund_status }).await
}

async fn check_refund(app: &App, wechat: &Wechat, notice: &RefundNotice, row: &super::RefundRow) -> Result<(), Unbelieved> {
    if notice.mchid != wechat.client.merchant().mchid {
        return Err(Trouble::OtherMerchant.into());
    }
    let payment = queries::read_unscoped(app, row.payment_id).await?.ok_or(DbError::Missing)?;
    if notice.out_trade_no != payment.out_trade_no || payment.transaction_id.as_deref() != Some(&notice.transaction_id) {
        return Err(Trouble::OtherNumber.into());
    }
    if notice.amount.refund != row.amount_fen || notice.amount.total != payment.amount_fen {
        return Err(Trouble::OtherAmount.into());
    }
    Ok(())
}

/// Takes it once. The same notice under a fresh signature is a repeat and fine; the same signature twice is a replay.
async fn keep(app: &App, (serial, nonce): (&str, &str), notice_id: &str, said: &Said) -> Result<(), Unbelieved> {
    let now = app.clock.now();
    let id = app.entropy.uuid(now);
    let fact = serde_json::to_string(said).map_err(DbError::from)?;
    let mut tx = app.db.begin().await?;
    let fresh = tx
        .run_one(sql!(
            "INSERT INTO payment_notices (id, channel, notice_id, serial, nonce, kind, object, fact, received_at)
             VALUES ($1, 'wechat', $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
            id,
            notice_id,
            serial,
            nonce,
            said.kind(),
            said.object(),
            fact,
            now
        ))
        .await?;
    if !fresh {
        let replayed: Option<i64> = tx
            .scalar(sql!("SELECT COUNT(*) FROM payment_notices WHERE channel = 'wechat' AND serial = $1 AND nonce = $2", serial, nonce))
            .await?;
        tx.rollback().await?;
        return if replayed == Some(0) { Ok(()) } else { Err(Trouble::Replayed.into()) };
    }
    outbox::enqueue(app, &mut tx, APPLY_TOPIC, said.object(), &id).await?;
    failpoint::reach("notice.before_kept").await;
    app.commit(tx).await?;
    failpoint::reach("notice.after_kept").await;
    Ok(())
}

async fn keep_refusal(app: &App, kind: &str, code: &str) -> Result<(), DbError> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    tx.run(sql!(
        "INSERT INTO payment_notice_refusals (id, channel, kind, code, refused_at) VALUES ($1, 'wechat', $2, $3, $4)",
        app.entropy.uuid(now),
        kind,
        code,
        now
    ))
    .await?;
    app.commit(tx).await
}

row! {
    struct Taken { fact: String, applied_at: Option<Timestamp> }
}

/// Outbox [`APPLY_TOPIC`]: what the notice says becomes true.
pub(super) async fn apply_notice(app: App, message: Message) -> Result<(), HandlerError> {
    let id: Uuid = message.payload()?;
    let taken: Option<Taken> = app.db.first(sql!("SELECT fact, applied_at FROM payment_notices WHERE id = $1", id)).await?;
    let Some(Taken { fact, applied_at: None }) = taken else { return Ok(()) };
    let said: Said = serde_json::from_str(&fact).map_err(|error| HandlerError::permanent(&error))?;
    let mut tx = app.db.begin().await?;
    let applied: Result<(), MoneyError> = match said {
        Said::Captured { payment, transaction_id, at } => {
            learn(&app, &mut tx, payment, Fact::Captured { transaction_id, at }).await.map(drop)
        }
        Said::Refund { refund, status } => apply(&app, &mut tx, refund, input_of(status)).await,
    };
    applied?;
    tx.run(sql!("UPDATE payment_notices SET applied_at = $1 WHERE id = $2 AND applied_at IS NULL", app.clock.now(), id)).await?;
    failpoint::reach("notice.before_applied").await;
    app.commit(tx).await?;
    failpoint::reach("notice.after_applied").await;
    Ok(())
}
