//! The chart of accounts (DOMAIN D.10). An account is a code and, where it belongs to somebody, an owner.
//!
//! Amounts are signed: a debit is positive, a credit negative. Accounts that hold other people's money have a floor:
//! they can never owe less than nothing, and the balance table refuses it even if the code were wrong.

use uuid::Uuid;

/// Who carries money between the payer and us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PayChannel)]
pub enum Channel {
    /// 微信支付
    Wechat,
}

impl Channel {
    pub fn code(self) -> &'static str {
        match self {
            Self::Wechat => "wechat",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Account {
    /// Money the channel has and owes us (渠道清算).
    Clearing(Channel),
    /// What we owe for a paid order until it is served or refunded (订单负债). Owner: the order.
    OrderLiability(Uuid),
    /// Promised back, not yet confirmed by the channel (应付退款). Owner: the order.
    RefundPayable(Uuid),
    /// Owner: the patient.
    PatientWallet(Uuid),
    HospitalPayable,
    /// Owner: the doctor.
    DoctorPending(Uuid),
    /// Owner: the doctor.
    DoctorAvailable(Uuid),
    /// Owner: the doctor.
    DoctorFrozen(Uuid),
    PlatformRevenue,
    PharmacyPayable,
    DeliveryPayable,
    ChannelFeeExpense,
    /// Lines nobody could explain yet: kept, never dropped.
    Suspense,
}

impl Account {
    pub fn code(self) -> &'static str {
        match self {
            Self::Clearing(Channel::Wechat) => "clearing_wechat",
            Self::OrderLiability(_) => "order_liability",
            Self::RefundPayable(_) => "refund_payable",
            Self::PatientWallet(_) => "patient_wallet",
            Self::HospitalPayable => "hospital_payable",
            Self::DoctorPending(_) => "doctor_pending",
            Self::DoctorAvailable(_) => "doctor_available",
            Self::DoctorFrozen(_) => "doctor_frozen",
            Self::PlatformRevenue => "platform_revenue",
            Self::PharmacyPayable => "pharmacy_payable",
            Self::DeliveryPayable => "delivery_payable",
            Self::ChannelFeeExpense => "channel_fee_expense",
            Self::Suspense => "suspense",
        }
    }

    /// Nil for accounts of the house, so that the owner can be part of a key on every engine.
    pub fn owner(self) -> Uuid {
        match self {
            Self::OrderLiability(owner)
            | Self::RefundPayable(owner)
            | Self::PatientWallet(owner)
            | Self::DoctorPending(owner)
            | Self::DoctorAvailable(owner)
            | Self::DoctorFrozen(owner) => owner,
            _ => Uuid::nil(),
        }
    }

    /// Whether the account may never be overdrawn. Only these keep a running balance: a balance row on a house account
    /// would be one hot row for the whole hospital.
    pub fn has_floor(self) -> bool {
        !self.owner().is_nil()
    }
}
