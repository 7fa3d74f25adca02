//! One transition, whole: machine, compare-and-set, history, timer, outbox, money and notifications in the caller's transaction.
//!
//! Every change of a consultation's state goes through [`step`]; nothing else writes the state. What it causes outside SQL
//! (the log, the sockets) goes through the outbox message it leaves.

use super::{
    machine::{Event, Expiry, State},
    neighbours::{self, Told},
    queries,
    stored::Consultation,
    trouble::Trouble,
};
use crate::{db::Tx, outbox, state::App, timers};
use chat::ids::UserId;
use serde::{Deserialize, Serialize};

/// The one live timer of a consultation. What its passing means, the state knows.
pub const TIMER: &str = "consultations.deadline";
/// Makes the log and the sockets follow.
pub const MOVED: &str = "consultations.moved";

#[derive(Debug, Serialize, Deserialize)]
pub struct Moved {
    pub version: i64,
}

/// Carries `it` over `event`. `by`: the person; `None` = a timer, a payment notice, the log.
pub async fn step(app: &App, tx: &mut Tx, mut it: Consultation, event: &Event, by: Option<UserId>) -> Result<Consultation, Trouble> {
    let rules = &app.config.consultations;
    let now = app.clock.now();
    let before = it.state.clone();
    it.state = before.clone().apply(event, &it.terms(rules), now)?;
    it.version += 1;
    match &it.state {
        State::PaidWaiting { paid_at, .. } => it.paid_at = Some(*paid_at),
        State::InProgress { visit } => it.accepted_at = Some(visit.accepted_at),
        _ => {}
    }
    if !queries::save(tx, &it).await? {
        return Err(Trouble::Moved);
    }
    queries::add_history(tx, &it, (name(event), Some(before.word())), by, detail(event).as_deref(), now).await?;
    follow_up(app, tx, &it).await?;
    settle_money(app, tx, &before, &it).await?;
    tell(app, tx, &before, &it).await?;
    Ok(it)
}

/// Timer and outbox message of a state that was just entered; also for one that was just created.
pub async fn follow_up(app: &App, tx: &mut Tx, it: &Consultation) -> Result<(), Trouble> {
    match it.state.deadline(&app.config.consultations) {
        Some(due_at) => timers::schedule(app, tx, TIMER, it.id.0, it.state.word(), due_at).await?,
        None => drop(timers::cancel(tx, TIMER, it.id.0).await?),
    }
    outbox::enqueue(app, tx, MOVED, it.id.0, &Moved { version: it.version }).await?;
    Ok(())
}

async fn settle_money(app: &App, tx: &mut Tx, before: &State, it: &Consultation) -> Result<(), Trouble> {
    if it.is_free() {
        return Ok(());
    }
    neighbours::set_stage(tx, it).await?;
    if !it.state.gives_money_back() {
        return Ok(());
    }
    match before {
        State::Created { .. } => neighbours::close_unpaid(app, tx, it).await,
        _ => neighbours::refund_in_full(app, tx, it).await,
    }
}

/// Who learns of it in the message centre (NTF-01). Both sides' screens are told through the sockets anyway.
async fn tell(app: &App, tx: &mut Tx, before: &State, it: &Consultation) -> Result<(), Trouble> {
    let told: &[(UserId, Told)] = &match (&it.state, before) {
        (State::PaidWaiting { .. }, _) => vec![(it.doctor_user, Told::NewConsultation(it.channel))],
        (State::InProgress { .. }, State::PaidWaiting { .. }) => vec![(it.patient, Told::Accepted)],
        (State::Rejected { .. }, _) => vec![(it.patient, Told::Rejected)],
        (State::Cancelled { .. }, State::PaidWaiting { .. }) => vec![(it.doctor_user, Told::CancelledByPatient)],
        (State::Cancelled { .. }, _) => vec![(it.patient, Told::CancelledUnpaid)],
        (State::Expired { cause: Expiry::NotAccepted, .. }, _) => vec![(it.patient, Told::NotAccepted), (it.doctor_user, Told::Missed)],
        (State::Expired { cause: Expiry::NoReply, .. }, _) => vec![(it.patient, Told::NoReply), (it.doctor_user, Told::Missed)],
        (State::Terminated { .. }, _) => vec![(it.patient, Told::Terminated)],
        (State::Ended { .. }, _) => vec![(it.patient, Told::RecordReady)],
        (State::EndedNoRecord { record_due_at: Some(_), .. }, _) => {
            vec![(it.patient, Told::WindowOver), (it.doctor_user, Told::RecordDue)]
        }
        (State::EndedNoRecord { record_due_at: None, .. }, _) => vec![(it.doctor_user, Told::RecordOverdue)],
        _ => vec![],
    };
    for (user, told) in told {
        neighbours::notify(app, tx, *user, *told, it).await?;
    }
    Ok(())
}

/// The event's word in the history.
fn name(event: &Event) -> &'static str {
    match event {
        Event::Paid => "paid",
        Event::Cancel => "cancel",
        Event::Accept { .. } => "accept",
        Event::Reject { .. } => "reject",
        Event::DoctorReplied { .. } => "doctor_replied",
        Event::Terminate { .. } => "terminate",
        Event::End { .. } => "end",
        Event::LogClosed { .. } => "log_closed",
        Event::DeadlinePassed => "deadline_passed",
    }
}

/// Coded facts only; what the doctor wrote is sealed elsewhere.
fn detail(event: &Event) -> Option<String> {
    match event {
        Event::Accept { meets_return_visit_conditions: Some(judged) } => Some(format!("meets_return_visit_conditions={judged}")),
        Event::Terminate { reason } => Some(format!("{reason} list={}", super::rules::TERMINATE_REASONS_VERSION)),
        Event::LogClosed { seq } => Some(format!("seq={seq}")),
        _ => None,
    }
}
