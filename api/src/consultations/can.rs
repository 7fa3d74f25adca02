//! What a person may do with a consultation now, asked of the machine itself: a button is enabled exactly when its command
//! would be carried out (as far as the state decides).

use super::{
    machine::{Event, State},
    rules::{Channel, TerminateReason},
    stored::Consultation,
};
use crate::config::Config;
use chat::ids::{Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the one who asks may do now, as far as the state decides: which buttons to show. What a command needs besides is asked when it comes:
/// `end` a complete record (`record_incomplete`), `call` both consents to the notice (`consent_required`), `accept` of a return visit the doctor's
/// judgement (`return_visit_conditions_not_met`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Can {
    pub pay: bool,
    pub cancel: bool,
    pub accept: bool,
    pub reject: bool,
    pub message: bool,
    pub call: bool,
    pub end: bool,
    pub terminate: bool,
    pub write_record: bool,
    pub review: bool,
    pub r#continue: bool,
    pub refund: bool,
}

/// What the consultation's own row does not know.
#[derive(Clone, Copy, Debug)]
pub struct Around {
    pub reviewed: bool,
    pub follow_ups_left: u32,
    /// By the order: a refund may be asked for.
    pub refundable: bool,
}

pub fn can(config: &Config, it: &Consultation, asking: UserId, around: Around, now: Timestamp) -> Can {
    let rules = &config.consultations;
    let moves = |event: Event| it.state.clone().apply(&event, &it.terms(rules), now).is_ok();
    let in_progress = matches!(it.state, State::InProgress { .. });
    let call = in_progress && it.channel != Channel::Text;
    if asking == it.patient {
        return Can {
            pay: matches!(it.state, State::Created { pay_by } if now < pay_by),
            cancel: moves(Event::Cancel),
            message: in_progress || matches!(it.state, State::PaidWaiting { .. }),
            call,
            review: review_until(it, rules.review_within_ms).is_some_and(|until| now < until) && !around.reviewed,
            r#continue: around.follow_ups_left > 0,
            refund: around.refundable,
            ..Can::default()
        };
    }
    Can {
        // The doctor's judgement comes with the command; the button only says that it may be given.
        accept: moves(Event::Accept { meets_return_visit_conditions: Some(true) }),
        reject: moves(Event::Reject { reason: "?".into() }),
        message: in_progress,
        call,
        end: moves(Event::End { record_complete: true }),
        terminate: moves(Event::Terminate { reason: TerminateReason::OnlineUnsuitable }),
        write_record: in_progress || matches!(it.state, State::EndedNoRecord { .. }),
        ..Can::default()
    }
}

/// REV-01: a served consultation may be judged for so long after it ended.
pub fn review_until(it: &Consultation, within_ms: i64) -> Option<Timestamp> {
    it.state.over_at().filter(|_| it.state.is_served()).map(|over| over.plus_ms(within_ms))
}

/// CON-15: a follow-up is for a consultation that was served, by the one who asked first.
pub fn follow_up_until(it: &Consultation, within_ms: i64) -> Option<Timestamp> {
    if it.parent.is_some() {
        return None;
    }
    it.state.over_at().filter(|_| it.state.is_served()).map(|over| over.plus_ms(within_ms))
}

/// What people read for a state.
pub fn label(it: &Consultation) -> &'static str {
    match &it.state {
        State::Created { .. } => "待支付",
        State::PaidWaiting { .. } => "待接诊",
        State::InProgress { .. } => "问诊中",
        State::Ending { .. } => "正在结束",
        State::Ended { .. } | State::Settled { .. } => "已完成",
        State::EndedNoRecord { .. } => "待完善病历",
        State::Terminated { .. } => "已终止",
        State::Rejected { .. } => "医生未接诊",
        State::Cancelled { .. } => "已取消",
        State::Expired { .. } => "已超时",
    }
}
