//! The rows of payments and refunds, and why a refund is made.

use super::{Payment, Trouble};
use crate::{
    db::DbError,
    http::{Code, Problem},
    id_columns,
    ledger::Fen,
    orders::OrderId,
    outbox::HandlerError,
    row, text_enum,
};
use chat::ids::{Timestamp, UserId};

chat::define_id! {
    /// One try to pay an order (支付); its number at the channel is `out_trade_no`.
    PaymentId;
    /// One way back (退款); its number at the channel is `out_refund_no`.
    RefundId;
}
id_columns!(PaymentId, RefundId);

text_enum! {
    pub enum PaymentState { Init = "init", Prepaid = "prepaid", Unknown = "unknown", Closed = "closed", Captured = "captured" }
}

text_enum! {
    pub enum RefundReason {
        /// The patient changed his mind before the doctor took it up.
        BeforeAccept = "before_accept",
        Rejected = "rejected",
        /// Nobody accepted, or nobody answered, within the promise.
        Expired = "expired",
        Terminated = "terminated",
        NotServed = "not_served",
        /// The money arrived when the order was closed already.
        PaidAfterClose = "paid_after_close",
        /// A second payment for one order.
        PaidTwice = "paid_twice",
    }
}

row! {
    #[derive(Clone, Debug)]
    pub struct PaymentRow {
        pub id: PaymentId,
        pub order_id: OrderId,
        pub out_trade_no: String,
        pub amount_fen: Fen,
        pub state: PaymentState,
        pub prepay_id: Option<String>,
        pub code_url: Option<String>,
        pub transaction_id: Option<String>,
        pub captured_at: Option<Timestamp>,
        pub refund_reserved_fen: i64,
        pub queries: i64,
        pub version: i64,
        pub created_at: Timestamp,
    }
    #[derive(Clone, Debug)]
    pub struct RefundRow {
        pub id: RefundId,
        pub order_id: OrderId,
        pub payment_id: PaymentId,
        pub out_refund_no: String,
        pub amount_fen: Fen,
        pub state: String,
        pub reason: RefundReason,
        pub queries: i64,
        pub version: i64,
        pub created_at: Timestamp,
        pub finished_at: Option<Timestamp>,
    }
}

impl PaymentRow {
    pub fn machine(&self) -> Result<Payment, DbError> {
        Ok(match self.state {
            PaymentState::Init => Payment::Init,
            PaymentState::Prepaid => Payment::Prepaid,
            PaymentState::Unknown => Payment::Unknown,
            PaymentState::Closed => Payment::Closed,
            PaymentState::Captured => Payment::Captured {
                transaction_id: self.transaction_id.clone().ok_or(DbError::Unreadable("captured payment"))?,
                at: self.captured_at.ok_or(DbError::Unreadable("captured payment"))?,
            },
        })
    }

    /// What may still go back.
    pub fn refundable(&self) -> Option<Fen> {
        Fen::new(self.amount_fen.get() - self.refund_reserved_fen).ok()
    }
}

/// Who asked for a refund, if it was a person.
#[derive(Clone, Debug)]
pub struct Asked {
    pub by: UserId,
    /// His words, sealed.
    pub note_sealed: Vec<u8>,
}

/// Why money did not move.
#[derive(Debug, thiserror::Error)]
pub enum MoneyError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Refused(#[from] Trouble),
    /// Somebody else moved the row between our read and our write: try again.
    #[error("the row moved meanwhile")]
    Moved,
    /// What the order pays for would not follow; the cause is in the text.
    #[error("the order's subject refused: {0}")]
    Subject(String),
    #[error("a neighbouring slice refused: {}", .0.code.code)]
    Neighbour(Problem),
}

impl MoneyError {
    pub fn subject(error: impl std::error::Error + 'static) -> Self {
        Self::Subject(crate::http::causes(&error))
    }
}

pub(super) const MOVED: Code = Code::temporary(409, "order_moved", "订单刚刚发生变化，请重试");
pub(super) const REFUND_EXCEEDS: Code = Code::new(409, "refund_exceeds_payment", "退款超过可退金额");

impl From<MoneyError> for Problem {
    fn from(error: MoneyError) -> Self {
        match error {
            MoneyError::Db(error) => error.into(),
            MoneyError::Moved => MOVED.into(),
            MoneyError::Neighbour(problem) => problem,
            MoneyError::Refused(Trouble::RefundExceedsPayment) => REFUND_EXCEEDS.into(),
            error => Self::internal(&error),
        }
    }
}

impl From<MoneyError> for HandlerError {
    fn from(error: MoneyError) -> Self {
        match error {
            MoneyError::Refused(trouble) => Self::permanent(&trouble),
            error => Self::temporary(&error),
        }
    }
}
