//! The consultation's state machine (DOMAIN D.1), pure: no clock, no SQL, no log.
//!
//! A state carries its own data, a transition consumes it and says what comes next or refuses with a stable code;
//! every (state, event) pair is one or the other (D.11-13). Commercial and refund state live with the order (D.0).
//! Surprise: there is one event for all timers. A state knows its own deadline and what passing it means.

use super::rules::{Channel, Kind, Rules, TerminateReason};
use chat::ids::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Waits for the money.
    Created {
        pay_by: Timestamp,
    },
    /// Paid (or free), waits for the doctor's yes or no.
    PaidWaiting {
        paid_at: Timestamp,
        accept_by: Timestamp,
    },
    InProgress {
        visit: Visit,
    },
    /// The first half of the closing saga: SQL has decided, the log has not confirmed yet.
    Ending {
        visit: Visit,
        outcome: Outcome,
        since: Timestamp,
    },
    Ended {
        visit: Visit,
        closed: Closed,
    },
    EndedNoRecord {
        visit: Visit,
        closed: Closed,
        record_due_at: Option<Timestamp>,
    },
    Terminated {
        at: Timestamp,
        reason: TerminateReason,
    },
    Rejected {
        at: Timestamp,
    },
    Cancelled {
        at: Timestamp,
    },
    Expired {
        at: Timestamp,
        cause: Expiry,
    },
    Settled {
        visit: Visit,
        closed: Closed,
        at: Timestamp,
    },
}

/// What is known once a doctor has accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    pub accepted_at: Timestamp,
    pub reply: Reply,
    pub window_ends_at: Timestamp,
}

/// The doctor's promise of a first answer (CON-06).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    DueBy(Timestamp),
    GivenAt(Timestamp),
}

/// The log's word that the conversation is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    pub at: Timestamp,
    pub seq: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    WithRecord,
    WithoutRecord,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expiry {
    NotAccepted,
    NoReply,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Paid,
    Cancel,
    Accept {
        meets_return_visit_conditions: Option<bool>,
    },
    Reject {
        reason: String,
    },
    DoctorReplied {
        at: Timestamp,
    },
    Terminate {
        reason: TerminateReason,
    },
    End {
        record_complete: bool,
    },
    /// The log holds the `closed` entry at this seq.
    LogClosed {
        seq: u64,
    },
    /// The durable timer of this state fired.
    DeadlinePassed,
}

/// What of the consultation never changes, as far as a transition asks.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    pub kind: Kind,
    pub channel: Channel,
    pub has_proof: bool,
    pub rules: &'a Rules,
}

/// Why a transition does not happen. The object is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the consultation is in a state in which this cannot happen")]
    WrongState,
    #[error("a rejection needs a reason")]
    ReasonMissing,
    #[error("a return visit needs proof of an earlier diagnosis")]
    ProofMissing,
    #[error("the doctor has to confirm that the conditions of a return visit are met")]
    ConditionsNotMet,
    #[error("the record is not complete")]
    RecordIncomplete,
    #[error("the deadline has not passed")]
    TooEarly,
    #[error("the time for payment is over")]
    PaymentTooLate,
}

impl Refused {
    pub fn code(self) -> &'static str {
        match self {
            Self::WrongState => "wrong_state",
            Self::ReasonMissing => "reason_missing",
            Self::ProofMissing => "proof_missing",
            Self::ConditionsNotMet => "return_visit_conditions_not_met",
            Self::RecordIncomplete => "record_incomplete",
            Self::TooEarly => "too_early",
            Self::PaymentTooLate => "payment_too_late",
        }
    }
}

/// The state's word in SQL, JSON and the history.
pub const WORDS: [&str; 11] = [
    "created",
    "paid_waiting",
    "in_progress",
    "ending",
    "ended",
    "ended_no_record",
    "terminated",
    "rejected",
    "cancelled",
    "expired",
    "settled",
];

impl State {
    pub fn created(rules: &Rules, now: Timestamp) -> Self {
        Self::Created { pay_by: now.plus_ms(rules.pay_within_ms) }
    }

    /// A free follow-up starts where a paid one stands after capture.
    pub fn paid(terms: &Terms<'_>, now: Timestamp) -> Self {
        Self::PaidWaiting { paid_at: now, accept_by: terms.rules.accept_by(terms.channel, now) }
    }

    pub fn apply(self, event: &Event, terms: &Terms<'_>, now: Timestamp) -> Result<Self, Refused> {
        match self {
            Self::Created { pay_by } => created(pay_by, event, terms, now),
            Self::PaidWaiting { accept_by, .. } => paid_waiting(accept_by, event, terms, now),
            Self::InProgress { visit } => in_progress(visit, event, now),
            Self::Ending { visit, outcome, .. } => ending(visit, outcome, event, terms, now),
            Self::EndedNoRecord { visit, closed, record_due_at } => ended_no_record(visit, closed, record_due_at, event, now),
            Self::Ended { visit, closed } if matches!(event, Event::DeadlinePassed) => settle(visit, closed, terms, now),
            Self::Cancelled { .. } | Self::Expired { .. } if matches!(event, Event::Paid) => Err(Refused::PaymentTooLate),
            Self::Ended { .. }
            | Self::Terminated { .. }
            | Self::Rejected { .. }
            | Self::Cancelled { .. }
            | Self::Expired { .. }
            | Self::Settled { .. } => Err(Refused::WrongState),
        }
    }

    pub fn word(&self) -> &'static str {
        match self {
            Self::Created { .. } => "created",
            Self::PaidWaiting { .. } => "paid_waiting",
            Self::InProgress { .. } => "in_progress",
            Self::Ending { .. } => "ending",
            Self::Ended { .. } => "ended",
            Self::EndedNoRecord { .. } => "ended_no_record",
            Self::Terminated { .. } => "terminated",
            Self::Rejected { .. } => "rejected",
            Self::Cancelled { .. } => "cancelled",
            Self::Expired { .. } => "expired",
            Self::Settled { .. } => "settled",
        }
    }

    /// When the one live timer of this state fires (D.11-15). `Ending` has none: its outbox row keeps it alive.
    pub fn deadline(&self, rules: &Rules) -> Option<Timestamp> {
        match self {
            Self::Created { pay_by } => Some(*pay_by),
            Self::PaidWaiting { accept_by, .. } => Some(*accept_by),
            Self::InProgress { visit: Visit { reply: Reply::DueBy(by), .. } } => Some(*by),
            Self::InProgress { visit } => Some(visit.window_ends_at),
            Self::EndedNoRecord { record_due_at, .. } => *record_due_at,
            Self::Ended { closed, .. } => Some(closed.at.plus_ms(rules.settle_after_ms)),
            _ => None,
        }
    }

    pub fn visit(&self) -> Option<&Visit> {
        match self {
            Self::InProgress { visit }
            | Self::Ending { visit, .. }
            | Self::Ended { visit, .. }
            | Self::EndedNoRecord { visit, .. }
            | Self::Settled { visit, .. } => Some(visit),
            _ => None,
        }
    }

    /// When the treatment was over, whatever the outcome.
    pub fn over_at(&self) -> Option<Timestamp> {
        match self {
            Self::Ended { closed, .. } | Self::EndedNoRecord { closed, .. } | Self::Settled { closed, .. } => Some(closed.at),
            Self::Terminated { at, .. } | Self::Rejected { at } | Self::Cancelled { at } | Self::Expired { at, .. } => Some(*at),
            _ => None,
        }
    }

    /// Paid for and not served: the money goes back in full (REG-05, CON-12, X-31).
    pub fn gives_money_back(&self) -> bool {
        matches!(self, Self::Terminated { .. } | Self::Rejected { .. } | Self::Cancelled { .. } | Self::Expired { .. })
    }

    /// The doctor did his part and the patient may judge it.
    pub fn is_served(&self) -> bool {
        matches!(self, Self::Ended { .. } | Self::EndedNoRecord { .. } | Self::Settled { .. })
    }

    pub fn is_final(&self) -> bool {
        self.gives_money_back() || self.is_served()
    }
}

fn created(pay_by: Timestamp, event: &Event, terms: &Terms<'_>, now: Timestamp) -> Result<State, Refused> {
    match event {
        // A notice that arrives while the order still stands counts, however late the clock: the money is here.
        Event::Paid => Ok(State::paid(terms, now)),
        Event::Cancel => Ok(State::Cancelled { at: now }),
        Event::DeadlinePassed if now < pay_by => Err(Refused::TooEarly),
        Event::DeadlinePassed => Ok(State::Cancelled { at: now }),
        _ => Err(Refused::WrongState),
    }
}

fn paid_waiting(accept_by: Timestamp, event: &Event, terms: &Terms<'_>, now: Timestamp) -> Result<State, Refused> {
    match event {
        Event::Accept { meets_return_visit_conditions } => {
            if terms.kind == Kind::ReturnVisit {
                if !terms.has_proof {
                    return Err(Refused::ProofMissing);
                }
                if *meets_return_visit_conditions != Some(true) {
                    return Err(Refused::ConditionsNotMet);
                }
            }
            let reply = Reply::DueBy(now.plus_ms(terms.rules.first_reply_within_ms));
            Ok(State::InProgress { visit: Visit { accepted_at: now, reply, window_ends_at: now.plus_ms(terms.rules.window_ms) } })
        }
        Event::Reject { reason } if reason.trim().is_empty() => Err(Refused::ReasonMissing),
        Event::Reject { .. } => Ok(State::Rejected { at: now }),
        Event::Cancel => Ok(State::Cancelled { at: now }),
        Event::DeadlinePassed if now < accept_by => Err(Refused::TooEarly),
        Event::DeadlinePassed => Ok(State::Expired { at: now, cause: Expiry::NotAccepted }),
        _ => Err(Refused::WrongState),
    }
}

fn in_progress(visit: Visit, event: &Event, now: Timestamp) -> Result<State, Refused> {
    match (event, visit.reply) {
        (Event::DoctorReplied { at }, Reply::DueBy(_)) => Ok(State::InProgress { visit: Visit { reply: Reply::GivenAt(*at), ..visit } }),
        (Event::Terminate { reason }, _) => Ok(State::Terminated { at: now, reason: *reason }),
        (Event::End { record_complete: false }, _) => Err(Refused::RecordIncomplete),
        (Event::End { record_complete: true }, _) => Ok(State::Ending { visit, outcome: Outcome::WithRecord, since: now }),
        (Event::DeadlinePassed, Reply::DueBy(by)) if now >= by => Ok(State::Expired { at: now, cause: Expiry::NoReply }),
        (Event::DeadlinePassed, Reply::GivenAt(_)) if now >= visit.window_ends_at => {
            Ok(State::Ending { visit, outcome: Outcome::WithoutRecord, since: now })
        }
        (Event::DeadlinePassed, _) => Err(Refused::TooEarly),
        _ => Err(Refused::WrongState),
    }
}

fn ending(visit: Visit, outcome: Outcome, event: &Event, terms: &Terms<'_>, now: Timestamp) -> Result<State, Refused> {
    let Event::LogClosed { seq } = event else { return Err(Refused::WrongState) };
    let closed = Closed { at: now, seq: *seq };
    Ok(match outcome {
        Outcome::WithRecord => State::Ended { visit, closed },
        Outcome::WithoutRecord => State::EndedNoRecord { visit, closed, record_due_at: Some(now.plus_ms(terms.rules.record_within_ms)) },
    })
}

fn ended_no_record(visit: Visit, closed: Closed, due: Option<Timestamp>, event: &Event, now: Timestamp) -> Result<State, Refused> {
    match (event, due) {
        (Event::End { record_complete: true }, _) => Ok(State::Ended { visit, closed }),
        (Event::End { record_complete: false }, _) => Err(Refused::RecordIncomplete),
        // Overdue: the doctor is reminded, the income stays held, the record can still be written.
        (Event::DeadlinePassed, Some(by)) if now >= by => Ok(State::EndedNoRecord { visit, closed, record_due_at: None }),
        (Event::DeadlinePassed, Some(_)) => Err(Refused::TooEarly),
        _ => Err(Refused::WrongState),
    }
}

fn settle(visit: Visit, closed: Closed, terms: &Terms<'_>, now: Timestamp) -> Result<State, Refused> {
    if now < closed.at.plus_ms(terms.rules.settle_after_ms) {
        return Err(Refused::TooEarly);
    }
    Ok(State::Settled { visit, closed, at: now })
}
