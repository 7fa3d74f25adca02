//! Consultations (问诊): from the intake to the closed conversation, with their timers, consents, lists and the closing saga.
//!
//! | who | may |
//! |---|---|
//! | patient | order, cancel, agree, continue and read his own |
//! | doctor | accept, reject, terminate, end and read those addressed to him, once paid |
//! | both | accept the notice for voice and video, read the conversation |
//!
//! The machine (`machine`) decides, `transition` persists, `saga` and `conversation` make the log follow. Clinical state only:
//! money and refunds are the order's (DOMAIN D.0).

mod billing;
mod can;
mod commands;
mod consent;
mod conversation;
mod create;
mod entries;
mod follow_up;
mod follower;
pub(crate) mod intake;
mod lists;
mod machine;
#[cfg(test)]
mod machine_tests;
mod neighbours;
mod notice;
mod queries;
mod rules;
mod saga;
mod stored;
mod talk;
#[cfg(test)]
mod tests;
mod transition;
pub(crate) mod trouble;
mod view;

pub(crate) use billing::{Paid, on_paid, on_refund_changed};
pub(crate) use can::review_until;
pub use consent::permit_call;
pub(crate) use create::{channel_label, kind_label, refuse};
pub use follower::{Followed, catch_up, run as follow_log};
pub use machine::{Closed, Event, Expiry, Outcome, Refused, Reply, State as Stage, Terms, Visit, WORDS};
pub(crate) use neighbours::{doctor as doctor_lite, order_no, patient as patient_lite};
pub(crate) use notice::hex;
pub use rules::{Channel, Kind, Rules, TerminateReason};
pub use stored::{Consultation, ConsultationId};

use crate::{Slice, outbox::Topic, state::App, timers::TimerKind};
use utoipa_axum::{router::OpenApiRouter, routes};

pub const SLICE: Slice = Slice {
    routes,
    topics: &[Topic { name: transition::MOVED, handle: |app, message| Box::pin(saga::moved(app, message)), inline: true }],
    timers: &[TimerKind { name: transition::TIMER, fire: |app, timer| Box::pin(saga::deadline(app, timer)) }],
};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create::create, lists::list_own))
        .routes(routes!(lists::get))
        .routes(routes!(commands::cancel))
        .routes(routes!(commands::accept))
        .routes(routes!(commands::reject))
        .routes(routes!(commands::terminate))
        .routes(routes!(commands::end))
        .routes(routes!(consent::give))
        .routes(routes!(follow_up::continue_))
        .routes(routes!(lists::list_of_doctor))
        .routes(routes!(lists::counts))
        .routes(routes!(entries::list))
        .routes(routes!(entries::transcript))
}

/// The actor's own consultation (patient, or doctor once paid), for slices that hang something on it.
pub(crate) async fn find_own(
    app: &App,
    actor: &crate::authz::Actor,
    id: ConsultationId,
) -> Result<Option<Consultation>, crate::db::DbError> {
    queries::get(&app.db, actor, id).await
}

/// The same inside a transaction.
pub(crate) async fn find_own_in(
    tx: &mut crate::db::Tx,
    actor: &crate::authz::Actor,
    id: ConsultationId,
) -> Result<Option<Consultation>, crate::db::DbError> {
    queries::find(tx, actor, id).await
}
