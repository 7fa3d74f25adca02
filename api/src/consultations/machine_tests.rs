//! Every (state, event) pair, and random lives of a consultation.

use super::{machine::*, rules::*};
use chat::ids::Timestamp;
use proptest::prelude::*;

const T0: Timestamp = Timestamp(1_767_000_000_000);
const FAR: Timestamp = Timestamp(T0.0 + 400 * 86_400_000);

fn terms(rules: &Rules) -> Terms<'_> {
    Terms { kind: Kind::Advice, channel: Channel::Text, has_proof: false, rules }
}

fn visit(replied: bool) -> Visit {
    let reply = if replied { Reply::GivenAt(T0) } else { Reply::DueBy(T0.plus_ms(10)) };
    Visit { accepted_at: T0, reply, window_ends_at: T0.plus_ms(20) }
}

fn all_states() -> Vec<State> {
    let closed = Closed { at: T0, seq: 9 };
    vec![
        State::Created { pay_by: T0 },
        State::PaidWaiting { paid_at: T0, accept_by: T0 },
        State::InProgress { visit: visit(false) },
        State::InProgress { visit: visit(true) },
        State::Ending { visit: visit(true), outcome: Outcome::WithRecord, since: T0 },
        State::Ending { visit: visit(true), outcome: Outcome::WithoutRecord, since: T0 },
        State::Ended { visit: visit(true), closed },
        State::EndedNoRecord { visit: visit(true), closed, record_due_at: Some(T0) },
        State::EndedNoRecord { visit: visit(true), closed, record_due_at: None },
        State::Terminated { at: T0, reason: TerminateReason::FirstVisit },
        State::Rejected { at: T0 },
        State::Cancelled { at: T0 },
        State::Expired { at: T0, cause: Expiry::NotAccepted },
        State::Settled { visit: visit(true), closed, at: T0 },
    ]
}

fn all_events() -> Vec<Event> {
    vec![
        Event::Paid,
        Event::Cancel,
        Event::Accept { meets_return_visit_conditions: None },
        Event::Reject { reason: "不在专业范围".into() },
        Event::DoctorReplied { at: T0 },
        Event::Terminate { reason: TerminateReason::ConditionChanged },
        Event::End { record_complete: true },
        Event::LogClosed { seq: 9 },
        Event::DeadlinePassed,
    ]
}

/// D.11-13: the whole table, long after every deadline. What is not listed here is refused with a stable code.
#[test]
fn d_11_13_every_state_and_event_is_handled_or_refused() {
    let rules = Rules::default();
    let mut table = Vec::new();
    for state in all_states() {
        for event in all_events() {
            let from = state.word();
            match state.clone().apply(&event, &terms(&rules), FAR) {
                Ok(next) => table.push(format!("{from} {} {}", name(&event), next.word())),
                Err(refused) => assert!(WORDS.contains(&from) && !refused.code().is_empty()),
            }
        }
    }
    let expected = [
        "created paid paid_waiting",
        "created cancel cancelled",
        "created deadline cancelled",
        "paid_waiting cancel cancelled",
        "paid_waiting accept in_progress",
        "paid_waiting reject rejected",
        "paid_waiting deadline expired",
        "in_progress replied in_progress",
        "in_progress terminate terminated",
        "in_progress end ending",
        "in_progress deadline expired",
        "in_progress terminate terminated",
        "in_progress end ending",
        "in_progress deadline ending",
        "ending closed ended",
        "ending closed ended_no_record",
        "ended deadline settled",
        "ended_no_record end ended",
        "ended_no_record deadline ended_no_record",
        "ended_no_record end ended",
    ];
    assert_eq!(table, expected);
}

fn name(event: &Event) -> &'static str {
    match event {
        Event::Paid => "paid",
        Event::Cancel => "cancel",
        Event::Accept { .. } => "accept",
        Event::Reject { .. } => "reject",
        Event::DoctorReplied { .. } => "replied",
        Event::Terminate { .. } => "terminate",
        Event::End { .. } => "end",
        Event::LogClosed { .. } => "closed",
        Event::DeadlinePassed => "deadline",
    }
}

/// REG-03: without proof, or without the doctor's judgement, a return visit does not begin.
#[test]
fn reg_03_a_return_visit_needs_proof_and_the_doctors_judgement() {
    let rules = Rules::default();
    let accept = |has_proof, judged| {
        let terms = Terms { kind: Kind::ReturnVisit, channel: Channel::Text, has_proof, rules: &rules };
        let waiting = State::PaidWaiting { paid_at: T0, accept_by: FAR };
        waiting.apply(&Event::Accept { meets_return_visit_conditions: judged }, &terms, T0)
    };
    assert_eq!(accept(false, Some(true)), Err(Refused::ProofMissing));
    assert_eq!(accept(true, None), Err(Refused::ConditionsNotMet));
    assert_eq!(accept(true, Some(false)), Err(Refused::ConditionsNotMet));
    assert!(matches!(accept(true, Some(true)), Ok(State::InProgress { .. })));
}

/// CON-12: blank is not a reason.
#[test]
fn con_12_a_rejection_needs_a_reason() {
    let rules = Rules::default();
    let waiting = State::PaidWaiting { paid_at: T0, accept_by: FAR };
    assert_eq!(waiting.apply(&Event::Reject { reason: " \u{3000}\n".into() }, &terms(&rules), T0), Err(Refused::ReasonMissing));
}

/// D.11-15: a timer that fires early finds a state that does not move.
#[test]
fn d_11_15_a_deadline_is_not_passed_a_millisecond_early() {
    let rules = Rules::default();
    for state in all_states() {
        let Some(deadline) = state.deadline(&rules) else { continue };
        let early = state.clone().apply(&Event::DeadlinePassed, &terms(&rules), deadline.plus_ms(-1));
        assert_eq!(early, Err(Refused::TooEarly), "{}", state.word());
        assert!(state.clone().apply(&Event::DeadlinePassed, &terms(&rules), deadline).is_ok(), "{}", state.word());
    }
}

/// A capture after the order was given up is refused as late, so that money goes back (D.1).
#[test]
fn d_1_a_late_capture_is_told_from_a_wrong_state() {
    let rules = Rules::default();
    assert_eq!(State::Cancelled { at: T0 }.apply(&Event::Paid, &terms(&rules), FAR), Err(Refused::PaymentTooLate));
}

#[test]
fn a_stored_state_reads_back() {
    for state in all_states() {
        let text = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<State>(&text).unwrap(), state);
        assert!(text.contains(&format!("\"state\":\"{}\"", state.word())));
    }
}

proptest! {
    /// D.11-5, D.11-15: whatever happens in whatever order, a life is final, or has a deadline, or waits for the log.
    #[test]
    fn d_11_5_no_life_is_stuck(steps in proptest::collection::vec((0..9_usize, 0..200_000_000_i64), 0..40)) {
        let rules = Rules::default();
        let (mut state, mut now) = (State::created(&rules, T0), T0);
        for (index, jump_ms) in steps {
            now = now.plus_ms(jump_ms);
            let before = state.clone();
            if let Ok(next) = state.clone().apply(&all_events()[index], &terms(&rules), now) {
                prop_assert!(!before.gives_money_back(), "a refunded end moved: {before:?}");
                state = next;
            }
            let alive = state.deadline(&rules).is_some() || matches!(state, State::Ending { .. });
            prop_assert!(state.is_final() || alive, "stuck: {state:?}");
        }
        for _ in 0..4 {
            if let Some(deadline) = state.deadline(&rules) {
                state = state.apply(&Event::DeadlinePassed, &terms(&rules), deadline).unwrap();
            } else if matches!(state, State::Ending { .. }) {
                state = state.apply(&Event::LogClosed { seq: 1 }, &terms(&rules), now).unwrap();
            }
        }
        prop_assert!(state.is_final());
    }
}
