//! What the money slices tell a consultation, inside their own transaction. Facts from outside: late, repeated, reordered ones
//! are normal and find a consultation that has moved on.

use super::{
    machine::{Event, State},
    queries,
    stored::{Consultation, ConsultationId},
    transition,
    trouble::Trouble,
};
use crate::{db::Tx, state::App};

/// What became of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "money that came too late has to go back"]
pub(crate) enum Paid {
    /// The consultation waits for its doctor now, or did so already.
    Taken,
    /// It was cancelled meanwhile: the caller gives the money back in full (D.1).
    TooLate,
}

/// A capture was posted for the consultation's order.
pub(crate) async fn on_paid(app: &App, tx: &mut Tx, id: ConsultationId) -> Result<Paid, Trouble> {
    let it = find(tx, id).await?;
    if it.state.gives_money_back() {
        return Ok(Paid::TooLate);
    }
    if it.paid_at.is_none() {
        transition::step(app, tx, it, &Event::Paid, None).await?;
    }
    Ok(Paid::Taken)
}

/// A refund was asked for, moved or finished: both sides fetch it again. Asked for before acceptance it cancels.
pub(crate) async fn on_refund_changed(app: &App, tx: &mut Tx, id: ConsultationId) -> Result<(), Trouble> {
    let it = find(tx, id).await?;
    if matches!(it.state, State::PaidWaiting { .. }) {
        // Boxed: giving the money back comes here again.
        Box::pin(transition::step(app, tx, it, &Event::Cancel, None)).await?;
        return Ok(());
    }
    crate::outbox::enqueue(app, tx, transition::MOVED, it.id.0, &transition::Moved { version: it.version }).await?;
    Ok(())
}

async fn find(tx: &mut Tx, id: ConsultationId) -> Result<Consultation, Trouble> {
    Ok(queries::find_unscoped(tx, id).await?.ok_or(crate::db::DbError::Missing)?)
}
