//! Payments (支付) and refunds (退款): what the channel knows about an order's money.
//!
//! | who | may |
//! |---|---|
//! | patient | begin a payment of his own order |
//! | the channel | tell us, signed, what was paid and what went back |
//!
//! The channel's word counts only after verification; a fact is applied once however often it arrives; nothing waits for
//! the network inside a transaction. Orders decide what is owed, the ledger what was posted.

mod callbacks;
mod gateway;
mod learn;
mod machine;
mod model;
mod queries;
mod query;
mod refund_machine;
mod refunds;
pub mod simulator;
mod start;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod trouble;
pub mod wechat;

pub use gateway::{Folders, Gateway, GatewayError, WechatPayConfig, simulator_keys_dir};
pub use machine::{Fact, Payment, query_delay_ms};
pub use model::{Asked, MoneyError, PaymentId, PaymentRow, PaymentState, RefundId, RefundReason, RefundRow};
pub(crate) use queries::{captured_of, find_unscoped};
pub(crate) use query::close_all;
pub use refund_machine::{Input as RefundInput, Refund};
pub(crate) use refunds::{NewRefund, approve_refund, refund_state_of, refunds_of, seal_note};
pub use trouble::Trouble;

use crate::{Slice, outbox::Topic, state::App, timers::TimerKind};
use chat::ids::Timestamp;
use utoipa_axum::{router::OpenApiRouter, routes};

const PAYMENT_CALLBACK: &str = "/api/callbacks/wechat-pay/payments";
const REFUND_CALLBACK: &str = "/api/callbacks/wechat-pay/refunds";

pub const SLICE: Slice = Slice {
    routes,
    // None inline: each talks to the channel, or must not keep it waiting for its answer.
    topics: &[
        Topic { name: query::CLOSE_TOPIC, handle: |app, message| Box::pin(query::close(app, message)), inline: false },
        Topic { name: refunds::SEND_TOPIC, handle: |app, message| Box::pin(refunds::send(app, message)), inline: false },
        Topic { name: callbacks::APPLY_TOPIC, handle: |app, message| Box::pin(callbacks::apply_notice(app, message)), inline: false },
    ],
    timers: &[
        TimerKind { name: learn::QUERY_TIMER, fire: |app, timer| Box::pin(query::fire(app, timer)) },
        TimerKind { name: refunds::FOLLOW_TIMER, fire: |app, timer| Box::pin(refunds::follow(app, timer)) },
    ],
};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(start::start)).routes(routes!(callbacks::payment_notice)).routes(routes!(callbacks::refund_notice))
}

/// The simulated cashier, where there is one. Not part of the API.
pub(crate) fn demo_routes(app: &App) -> axum::Router<App> {
    app.payments.simulator().map(|simulator| simulator::cashier_router(simulator.clone())).unwrap_or_default()
}

/// A number for the channel (`out_trade_no`, `out_refund_no`): the date and 80 random bits, 28 characters of its alphabet.
fn channel_number(app: &App) -> String {
    let random: String = app.entropy.bytes::<10>().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}{random}", crate::orders::beijing_date(app.clock.now()))
}

/// A moment as the channel reads it.
fn rfc3339(at: Timestamp) -> String {
    let utc = time::OffsetDateTime::from_unix_timestamp(at.0.div_euclid(1_000)).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    utc.to_offset(time::macros::offset!(+8)).format(&time::format_description::well_known::Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests;
