//! What the simulated channel knows: orders placed with it, refunds, and notices that nobody has taken yet, with its own rules.
//!
//! Pure: no time, no network. It is the other party's opinion, so it shares no code with our payment machine on purpose.

use crate::{
    ledger::Fen,
    payments::wechat::types::{PrepayRequest, RefundRequest, RefundStatus, TradeState},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlacedOrder {
    pub prepay_id: String,
    pub transaction_id: String,
    pub appid: String,
    pub mchid: String,
    pub description: String,
    pub out_trade_no: String,
    pub notify_url: String,
    pub amount: Fen,
    /// RFC 3339.
    pub time_expire: String,
    pub state: TradeState,
    pub paid_at_ms: Option<i64>,
    pub refunded_fen: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlacedRefund {
    pub refund_id: String,
    pub out_refund_no: String,
    pub out_trade_no: String,
    pub transaction_id: String,
    pub notify_url: String,
    pub amount: Fen,
    pub total: Fen,
    pub status: RefundStatus,
}

/// What it has to tell the merchant, before it is sealed and signed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Notice {
    pub id: String,
    pub url: String,
    pub event_type: String,
    pub original_type: String,
    /// JSON.
    pub resource: String,
}

/// A refusal in the channel's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct No {
    pub status: u16,
    pub code: &'static str,
}

const UNKNOWN_ORDER: No = No { status: 404, code: "ORDER_NOT_EXIST" };
const UNKNOWN_REFUND: No = No { status: 404, code: "RESOURCE_NOT_EXISTS" };
const PAID: No = No { status: 400, code: "ORDERPAID" };
const CLOSED: No = No { status: 400, code: "ORDER_CLOSED" };
const INVALID: No = No { status: 400, code: "INVALID_REQUEST" };
const NOT_ENOUGH: No = No { status: 403, code: "NOT_ENOUGH" };

/// One change, as the journal keeps it: the newest line of a number wins.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Order(PlacedOrder),
    Refund(PlacedRefund),
    Notice(Notice),
    /// The notice with this id reached the merchant.
    Taken(String),
}

#[derive(Debug, Default)]
pub struct Book {
    orders: BTreeMap<String, PlacedOrder>,
    refunds: BTreeMap<String, PlacedRefund>,
    waiting: BTreeMap<String, Notice>,
}

impl Book {
    pub fn put(&mut self, change: Change) {
        match change {
            Change::Order(order) => drop(self.orders.insert(order.out_trade_no.clone(), order)),
            Change::Refund(refund) => drop(self.refunds.insert(refund.out_refund_no.clone(), refund)),
            Change::Notice(notice) => drop(self.waiting.insert(notice.id.clone(), notice)),
            Change::Taken(id) => drop(self.waiting.remove(&id)),
        }
    }

    /// The same number with the same content answers the same; with another content it is refused.
    pub fn place(&self, request: &PrepayRequest, prepay_id: String, transaction_id: String) -> Result<PlacedOrder, No> {
        if let Some(known) = self.orders.get(&request.out_trade_no) {
            return match known.state {
                TradeState::NotPay | TradeState::PayError if known.amount == request.amount.total => Ok(known.clone()),
                TradeState::NotPay | TradeState::PayError => Err(INVALID),
                TradeState::Success | TradeState::Refund => Err(PAID),
                TradeState::Closed | TradeState::Revoked | TradeState::UserPaying => Err(CLOSED),
            };
        }
        if request.amount.currency != "CNY" || request.description.is_empty() {
            return Err(INVALID);
        }
        Ok(PlacedOrder {
            prepay_id,
            transaction_id,
            appid: request.appid.clone(),
            mchid: request.mchid.clone(),
            description: request.description.clone(),
            out_trade_no: request.out_trade_no.clone(),
            notify_url: request.notify_url.clone(),
            amount: request.amount.total,
            time_expire: request.time_expire.clone(),
            state: TradeState::NotPay,
            paid_at_ms: None,
            refunded_fen: 0,
        })
    }

    pub fn order(&self, out_trade_no: &str) -> Result<&PlacedOrder, No> {
        self.orders.get(out_trade_no).ok_or(UNKNOWN_ORDER)
    }

    pub fn order_of_prepay(&self, prepay_id: &str) -> Option<&PlacedOrder> {
        self.orders.values().find(|order| order.prepay_id == prepay_id)
    }

    pub fn paid(&self, prepay_id: &str, now_ms: i64) -> Result<PlacedOrder, No> {
        let order = self.order_of_prepay(prepay_id).ok_or(UNKNOWN_ORDER)?;
        match order.state {
            TradeState::NotPay | TradeState::PayError if now_ms < expiry_ms(order) => {
                Ok(PlacedOrder { state: TradeState::Success, paid_at_ms: Some(now_ms), ..order.clone() })
            }
            TradeState::Success | TradeState::Refund => Err(PAID),
            _ => Err(CLOSED),
        }
    }

    pub fn failed(&self, prepay_id: &str) -> Result<PlacedOrder, No> {
        let order = self.order_of_prepay(prepay_id).ok_or(UNKNOWN_ORDER)?;
        match order.state {
            TradeState::NotPay | TradeState::PayError => Ok(PlacedOrder { state: TradeState::PayError, ..order.clone() }),
            TradeState::Success | TradeState::Refund => Err(PAID),
            _ => Err(CLOSED),
        }
    }

    pub fn closed(&self, out_trade_no: &str) -> Result<PlacedOrder, No> {
        let order = self.order(out_trade_no)?;
        match order.state {
            TradeState::Success | TradeState::Refund => Err(PAID),
            _ => Ok(PlacedOrder { state: TradeState::Closed, ..order.clone() }),
        }
    }

    /// The refund, and the order it changes when the number is new.
    pub fn refund(&self, request: &RefundRequest, refund_id: String) -> Result<(PlacedRefund, Option<PlacedOrder>), No> {
        let order = self.orders.get(&request.out_trade_no).ok_or(UNKNOWN_REFUND)?;
        if !matches!(order.state, TradeState::Success | TradeState::Refund) || request.amount.total != order.amount {
            return Err(INVALID);
        }
        if let Some(known) = self.refunds.get(&request.out_refund_no) {
            if known.out_trade_no != request.out_trade_no || known.amount != request.amount.refund {
                return Err(INVALID);
            }
            let again = known.status == RefundStatus::Closed;
            return Ok((PlacedRefund { status: if again { RefundStatus::Processing } else { known.status }, ..known.clone() }, None));
        }
        let refunded_fen = order.refunded_fen + request.amount.refund.get();
        if refunded_fen > order.amount.get() {
            return Err(NOT_ENOUGH);
        }
        let refund = PlacedRefund {
            refund_id,
            out_refund_no: request.out_refund_no.clone(),
            out_trade_no: request.out_trade_no.clone(),
            transaction_id: order.transaction_id.clone(),
            notify_url: request.notify_url.clone(),
            amount: request.amount.refund,
            total: order.amount,
            status: RefundStatus::Processing,
        };
        Ok((refund, Some(PlacedOrder { state: TradeState::Refund, refunded_fen, ..order.clone() })))
    }

    pub fn refund_of(&self, out_refund_no: &str) -> Result<&PlacedRefund, No> {
        self.refunds.get(out_refund_no).ok_or(UNKNOWN_REFUND)
    }

    /// Notices that nobody has taken.
    pub fn waiting(&self) -> impl Iterator<Item = &Notice> {
        self.waiting.values()
    }

    /// Everything that went out and came back, for a test that compares books: (captured, refunded) fen.
    pub fn totals_fen(&self) -> (i64, i64) {
        let captured = self.orders.values().filter(|order| order.paid_at_ms.is_some()).map(|order| order.amount.get()).sum();
        let refunded =
            self.refunds.values().filter(|refund| refund.status == RefundStatus::Success).map(|refund| refund.amount.get()).sum();
        (captured, refunded)
    }
}

fn expiry_ms(order: &PlacedOrder) -> i64 {
    time::OffsetDateTime::parse(&order.time_expire, &time::format_description::well_known::Rfc3339)
        .map_or(i64::MAX, |at| at.unix_timestamp().saturating_mul(1_000))
}
