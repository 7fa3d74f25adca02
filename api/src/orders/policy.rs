//! May this patient have his money back now? A pure decision; its inputs are stored with its outcome.
//!
//! Before the doctor takes the order up: always, in full. When the service was not delivered: in full. Otherwise the
//! service has begun or is done, and this door refuses with a reason; a dispute is for people (complaints).

use super::{OrderState, RefundState, Stage};
use crate::http::Code;
use serde::Serialize;

pub const NOT_PAID: Code = Code::new(409, "order_not_paid", "订单尚未支付");
pub const REFUND_OPEN: Code = Code::new(409, "refund_in_progress", "退款正在处理中");
pub const REFUNDED: Code = Code::new(409, "refund_done", "订单已退款");
pub const SERVICE_STARTED: Code = Code::new(409, "service_started", "医生已接诊，暂不能自助退款");
pub const SERVICE_DONE: Code = Code::new(409, "service_completed", "问诊已完成，暂不能自助退款");

/// What the decision was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Inputs {
    pub state: OrderState,
    pub refund_state: RefundState,
    pub stage: Stage,
}

/// Why the whole amount goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    BeforeAccept,
    NotServed,
}

pub fn decide(inputs: Inputs) -> Result<Grant, Code> {
    match (inputs.state, inputs.refund_state, inputs.stage) {
        (OrderState::Unpaid | OrderState::Closed, RefundState::None, _) => Err(NOT_PAID),
        (_, RefundState::Requested | RefundState::Processing | RefundState::Failed, _) => Err(REFUND_OPEN),
        (_, RefundState::Refunded, _) => Err(REFUNDED),
        (OrderState::Unpaid | OrderState::Closed, ..) => Err(NOT_PAID),
        (OrderState::Paid, _, Stage::Waiting) => Ok(Grant::BeforeAccept),
        (OrderState::Paid, _, Stage::NotServed) => Ok(Grant::NotServed),
        (OrderState::Paid, _, Stage::Serving) => Err(SERVICE_STARTED),
        (OrderState::Paid, _, Stage::Done) => Err(SERVICE_DONE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ORD-03, D.11-13: granted exactly when paid, not refunded and not served.
    #[test]
    fn grants_exactly_when_nothing_was_served() {
        for &state in OrderState::ALL {
            for &refund_state in RefundState::ALL {
                for &stage in Stage::ALL {
                    let granted = decide(Inputs { state, refund_state, stage }).is_ok();
                    let owed = state == OrderState::Paid
                        && matches!(refund_state, RefundState::None | RefundState::Denied)
                        && matches!(stage, Stage::Waiting | Stage::NotServed);
                    assert_eq!(granted, owed, "{state} {refund_state} {stage}");
                }
            }
        }
    }
}
