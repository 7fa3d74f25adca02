//! What follows a transition outside SQL, and the second half of the closing saga.
//!
//! SQL `ENDING` → the log's conditional `closed` entry → SQL `ENDED(seq)`. The outbox message of `ENDING` carries it across any
//! crash: each step finds what the one before left, and the last is a compare-and-set.

use super::{
    conversation,
    machine::{Event, State},
    neighbours, queries,
    stored::{Consultation, ConsultationId},
    transition::{self, Moved},
    trouble::Trouble,
};
use crate::{
    failpoint,
    outbox::{HandlerError, Message},
    records,
    state::App,
    timers::{self, Timer},
};

/// D.1: what is disputed is not settled; how often it is looked at again.
const DISPUTE_LOOK_MS: i64 = 24 * 60 * 60 * 1000;

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
    let Some(due_at) = it.state.deadline(&app.config.consultations) else { return Ok(()) };
    let look_again_at = if due_at > app.clock.now() {
        // The rules were changed since it was set.
        Some(due_at)
    } else if matches!(it.state, State::Ended { .. }) && neighbours::is_disputed(&app, &it).await? {
        Some(app.clock.now().plus_ms(DISPUTE_LOOK_MS))
    } else {
        None
    };
    if let Some(at) = look_again_at {
        timers::schedule(&app, &mut tx, transition::TIMER, id.0, it.state.word(), at).await?;
        app.commit(tx).await?;
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
