//! Why a payment or refund was not moved, or a notice not believed: one stable code each.

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    #[error("the channel names another transaction for a payment that is already captured")]
    TransactionIdChanged,
    #[error("the refund has not been decided yet")]
    RefundNotDecided,
    #[error("the refund has been decided already")]
    RefundDecided,
    #[error("more would go back than was captured")]
    RefundExceedsPayment,
    #[error("the channel speaks of another merchant or application")]
    OtherMerchant,
    #[error("the channel speaks of another amount or currency")]
    OtherAmount,
    #[error("the channel speaks of another payment or refund")]
    OtherNumber,
    #[error("the channel says paid, but not by which transaction or when")]
    Incomplete,
    #[error("no payment or refund of that number is known")]
    UnknownNumber,
    #[error("this very delivery was taken before")]
    Replayed,
}

impl Trouble {
    pub fn code(self) -> &'static str {
        match self {
            Self::TransactionIdChanged => "transaction_id_changed",
            Self::RefundNotDecided => "refund_not_decided",
            Self::RefundDecided => "refund_decided",
            Self::RefundExceedsPayment => "refund_exceeds_payment",
            Self::OtherMerchant => "merchant_mismatch",
            Self::OtherAmount => "amount_mismatch",
            Self::OtherNumber => "number_mismatch",
            Self::Incomplete => "notice_incomplete",
            Self::UnknownNumber => "payment_unknown",
            Self::Replayed => "callback_replayed",
        }
    }
}
