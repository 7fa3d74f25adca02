//! What follows a transition outside SQL, and the second half of the closing saga.
//!
//! SQL `ENDING` → the log's conditional `closed` entry → SQL `ENDED(seq)`. The outbox message of `ENDING` carries it across any
//! crash: each step finds what the one before left, and the last is a compare-and-set.

use super::{
    conversation,
    machine::{Event, State},
    queries,
    stored::{Consultation, ConsultationId},
    transition::{self, Moved},
    trouble::Trouble,
};
use crate::{
    failpoint,
    outbox::{HandlerError, Message},
    records,
    state::App,
    timers::Timer,
};

/// Handler of [`transition::MOVED`].
pub async fn moved(app: App, message: Message) -> Result<(), HandlerError> {
    let _: Moved = message.payload()?;
    let id = ConsultationId(message.key);
    let Some(it) = queries::get_unscoped(&app.db, id).await? else { return Ok(()) };
    let result = carry(&app, &it).await;
    // Screens are told in any case: what SQL says has changed even if the log is behind.
    announce(&app, &it);
    Ok(result?)
}

async fn carry(app: &App, it: &Consultation) -> Result<(), Trouble> {
    let closed_seq = conversation::converge(app, it).await?;
    if let (State::Ending { .. }, Some(seq)) = (&it.state, closed_seq) {
        finish(app, it.id, seq).await?;
    }
    Ok(())
}

/// The log has closed: SQL learns the seq, the record is fixed, the patient may fetch it.
async fn finish(app: &App, id: ConsultationId, seq: u64) -> Result<(), Trouble> {
    let mut tx = app.db.begin().await?;
    let Some(it) = queries::find_unscoped(&mut tx, id).await? else { return Ok(()) };
    if !matches!(it.state, State::Ending { .. }) {
        return Ok(());
    }
    let it = transition::step(app, &mut tx, it, &Event::LogClosed { seq }, None).await?;
    if let State::Ended { .. } = it.state {
        records::sign(app, &mut tx, &it).await?;
    }
    failpoint::reach("closing.before_ended").await;
    app.commit(tx).await?;
    failpoint::reach("closing.after_ended").await;
    Ok(())
}

/// Handler of [`transition::TIMER`]: the state knows what its deadline means, or that it has none.
pub async fn deadline(app: App, timer: Timer) -> Result<(), HandlerError> {
    let id = ConsultationId(timer.object);
    // A promise is only broken if the log does not hold an answer that SQL has not seen yet.
    super::follower::catch_up(&app).await?;
    let mut tx = app.db.begin().await?;
    let Some(it) = queries::find_unscoped(&mut tx, id).await? else { return Ok(()) };
    if it.state.deadline().is_none_or(|due_at| due_at > app.clock.now()) {
        return Ok(());
    }
    transition::step(&app, &mut tx, it, &Event::DeadlinePassed, None).await?;
    app.commit(tx).await?;
    Ok(())
}

/// A hint to both sides' screens to fetch it again.
fn announce(app: &App, it: &Consultation) {
    app.tell_changed(it.patient, "consultation", it.id.0);
    if it.paid_at.is_some() {
        app.tell_changed(it.doctor_user, "consultation", it.id.0);
    }
}
