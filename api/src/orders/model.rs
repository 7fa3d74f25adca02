//! The words of orders: states, stages, what a person reads, and the JSON of an order.

use crate::{id_columns, ledger::Fen, row, text_enum};
use chat::ids::{Timestamp, UserId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

chat::define_id! {
    /// What a patient owes for one service (订单).
    OrderId;
}
id_columns!(OrderId);

text_enum! {
    /// The commercial state.
    pub enum OrderState { Unpaid = "unpaid", Paid = "paid", Closed = "closed" }
}

text_enum! {
    /// The refund state; a field of its own, because a refund does not undo what was served.
    pub enum RefundState {
        None = "none",
        Requested = "requested",
        Processing = "processing",
        Refunded = "refunded",
        /// The payer's account cannot take the money: a person has to act.
        Failed = "failed",
        Denied = "denied",
    }
}

text_enum! {
    /// How far the service is, as its slice says with [`super::set_stage`].
    pub enum Stage {
        /// Paid (or not yet) and not taken up.
        Waiting = "waiting",
        Serving = "serving",
        Done = "done",
        /// Taken up or not: the service was not delivered as promised (rejected, expired, terminated).
        NotServed = "not_served",
    }
}

text_enum! {
    /// Which part of the list (ORD-02).
    pub enum OrderFilter {
        Unpaid = "unpaid",
        Paid = "paid",
        InConsultation = "in_consultation",
        Completed = "completed",
        Refunding = "refunding",
        Cancelled = "cancelled",
    }
}

row! {
    #[derive(Clone, Debug)]
    pub struct OrderRow {
        pub id: OrderId,
        pub order_no: String,
        pub patient: UserId,
        pub subject_kind: String,
        pub subject_id: Uuid,
        pub title: String,
        pub amount_fen: Fen,
        pub state: OrderState,
        pub refund_state: RefundState,
        pub stage: Stage,
        pub version: i64,
        pub created_at: Timestamp,
        pub expires_at: Timestamp,
        pub paid_at: Option<Timestamp>,
    }
}

/// The specifications' words for the three fields together.
pub fn display_state(state: OrderState, refund: RefundState, stage: Stage) -> &'static str {
    match (state, refund, stage) {
        (_, RefundState::Requested | RefundState::Processing | RefundState::Failed, _) => "退款中",
        (_, RefundState::Refunded, _) => "已退款",
        (OrderState::Unpaid, ..) => "未支付",
        (OrderState::Closed, ..) => "已取消",
        (OrderState::Paid, _, Stage::Waiting) => "已支付",
        (OrderState::Paid, _, Stage::Serving) => "问诊中",
        (OrderState::Paid, _, Stage::Done) => "已完成",
        (OrderState::Paid, _, Stage::NotServed) => "已取消",
    }
}

/// An order as its owner sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Order {
    #[schema(value_type = Uuid)]
    pub id: OrderId,
    pub order_no: String,
    /// What it is for, in the patient's words: 图文咨询 · 王芳.
    pub subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consultation_id: Option<Uuid>,
    pub amount_fen: i64,
    pub state: OrderState,
    pub refund_state: RefundState,
    /// 未支付, 已支付, 问诊中, 已完成, 退款中, 已退款 or 已取消.
    pub display_state: &'static str,
    #[schema(value_type = i64)]
    pub created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub paid_at: Option<Timestamp>,
    #[schema(value_type = i64)]
    pub expires_at: Timestamp,
    pub refunds: Vec<RefundView>,
}

/// One refund of an order.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefundView {
    pub id: Uuid,
    pub amount_fen: i64,
    /// requested, denied, approved, processing, closed, abnormal or success.
    pub state: String,
    /// A stable word for why.
    pub reason: String,
    #[schema(value_type = i64)]
    pub created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub finished_at: Option<Timestamp>,
}

impl Order {
    pub fn new(row: OrderRow, refunds: Vec<RefundView>) -> Self {
        Self {
            consultation_id: (row.subject_kind == super::CONSULTATION).then_some(row.subject_id),
            display_state: display_state(row.state, row.refund_state, row.stage),
            id: row.id,
            order_no: row.order_no,
            subject: row.title,
            amount_fen: row.amount_fen.get(),
            state: row.state,
            refund_state: row.refund_state,
            created_at: row.created_at,
            paid_at: row.paid_at,
            expires_at: row.expires_at,
            refunds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// X-26, ORD-02: every combination has one word, and money on its way back always shows.
    #[test]
    fn every_combination_has_a_word() {
        for &state in OrderState::ALL {
            for &refund in RefundState::ALL {
                for &stage in Stage::ALL {
                    let word = display_state(state, refund, stage);
                    assert!(["未支付", "已支付", "问诊中", "已完成", "退款中", "已退款", "已取消"].contains(&word));
                    if refund == RefundState::Processing {
                        assert_eq!(word, "退款中");
                    }
                }
            }
        }
        assert_eq!(display_state(OrderState::Paid, RefundState::Denied, Stage::Serving), "问诊中");
    }
}
