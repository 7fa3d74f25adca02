//! The shapes of WeChat Pay v3 that this product reads and writes: orders, refunds, errors.
//!
//! Fields of payers (open ids, banks) are written where the protocol needs them and never read back: there is nothing here
//! that could be logged by mistake.

use crate::ledger::Fen;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TradeState {
    Success,
    /// Paid, and some of it went back since.
    Refund,
    #[serde(rename = "NOTPAY")]
    NotPay,
    Closed,
    Revoked,
    #[serde(rename = "USERPAYING")]
    UserPaying,
    #[serde(rename = "PAYERROR")]
    PayError,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefundStatus {
    Success,
    Closed,
    Processing,
    Abnormal,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct TradeAmount {
    pub total: Fen,
    pub currency: String,
}

/// A payment as the channel tells it, by query or by notice.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Trade {
    pub appid: String,
    pub mchid: String,
    pub out_trade_no: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    pub trade_state: TradeState,
    /// RFC 3339, present once paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_time: Option<String>,
    /// Missing on a query of an unpaid order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<TradeAmount>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct RefundAmount {
    pub total: Fen,
    pub refund: Fen,
}

/// A refund in an answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct RefundAnswer {
    pub refund_id: String,
    pub out_refund_no: String,
    pub transaction_id: String,
    pub out_trade_no: String,
    pub status: RefundStatus,
    pub amount: RefundAmount,
}

/// The same in a notice, where the field has another name and the merchant is told.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct RefundNotice {
    pub mchid: String,
    pub refund_id: String,
    pub out_refund_no: String,
    pub transaction_id: String,
    pub out_trade_no: String,
    pub refund_status: RefundStatus,
    pub amount: RefundAmount,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct Amount {
    pub total: Fen,
    pub currency: String,
}

#[derive(Deserialize, Serialize)]
pub struct Payer {
    pub openid: String,
}

impl std::fmt::Debug for Payer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Payer(***)")
    }
}

/// `POST /v3/pay/transactions/{jsapi|native}`; only the first names a payer.
#[derive(Debug, Deserialize, Serialize)]
pub struct PrepayRequest {
    pub appid: String,
    pub mchid: String,
    pub description: String,
    pub out_trade_no: String,
    /// RFC 3339: after this moment the channel refuses to take the money.
    pub time_expire: String,
    pub notify_url: String,
    pub amount: Amount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<Payer>,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct PrepayAnswer {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepay_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_url: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct CloseRequest {
    pub mchid: String,
}

/// `POST /v3/refund/domestic/refunds`.
#[derive(Debug, Deserialize, Serialize)]
pub struct RefundRequest {
    pub out_trade_no: String,
    pub out_refund_no: String,
    pub reason: String,
    pub notify_url: String,
    pub amount: RefundRequestAmount,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct RefundRequestAmount {
    pub refund: Fen,
    pub total: Fen,
    pub currency: String,
}

/// Every refusal of the channel, and our answer to a notice we do not take.
#[derive(Debug, Deserialize, Serialize)]
pub struct Failure {
    pub code: String,
    pub message: String,
}
