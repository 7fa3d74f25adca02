//! Promises that were not kept (X-31, CON-06, D.1, D.11-15).

use super::*;
use chat::log::head::ConversationState;

/// D.1: not paid within 15 minutes, cancelled; a capture after that goes back.
#[tokio::test]
async fn d_1_an_unpaid_order_ends_after_fifteen_minutes() {
    let test = clinic().await;
    let (doctor, patient) = (doctor(&test).await, test.patient(PHONE).await);
    let body = request(&test, &patient, &doctor, "advice", "text").await;
    let created = patient.post("/api/consultations", body).await.status(201).json();
    let id = created["id"].clone();
    assert_eq!(timers_of(&test, &id).await, 1);
    test.advance_ms(15 * MINUTE_MS - 1).await;
    assert_eq!(stored(&test, &id).await.state.word(), "created", "D.11-15: not a millisecond early");
    test.advance_ms(1).await;
    assert_eq!(stored(&test, &id).await.state.word(), "cancelled");
    assert_eq!(timers_of(&test, &id).await, 0);
    assert_eq!(pay(&test, &created).await, Paid::TooLate);
    assert_eq!(stored(&test, &id).await.state.word(), "cancelled");
}

/// nobody accepts within 24 hours (text) or 30 minutes (voice, video): expired, closed.
#[tokio::test]
async fn x_31_an_order_nobody_accepts_expires() {
    let test = clinic().await;
    let (doctor, patient) = (doctor(&test).await, test.patient(PHONE).await);
    let text = paid(&test, &patient, &doctor, "advice", "text").await;
    let voice = paid(&test, &patient, &doctor, "advice", "voice").await;
    test.advance_ms(30 * MINUTE_MS).await;
    assert_eq!(stored(&test, &voice).await.state.word(), "expired");
    assert_eq!(stored(&test, &text).await.state.word(), "paid_waiting");
    test.advance_ms(24 * HOUR_MS).await;
    assert_eq!(stored(&test, &text).await.state.word(), "expired");
    assert_eq!(head(&test, &text).await.state, ConversationState::Closed);
}

/// CON-06: accepted and not answered within 24 hours: expired. An answer in the log counts even if SQL has not heard of it.
#[tokio::test]
async fn con_06_a_broken_promise_of_an_answer_expires() {
    let test = clinic().await;
    let (doctor, patient) = (doctor(&test).await, test.patient(PHONE).await);
    let silent = accepted(&test, &patient, &doctor).await;
    let answered = accepted(&test, &patient, &doctor).await;
    say(&test, &answered, doctor.user, "您好").await.unwrap();
    say(&test, &silent, patient.user, "医生在吗").await.unwrap();
    test.advance_ms(24 * HOUR_MS).await;
    assert_eq!(stored(&test, &silent).await.state.word(), "expired");
    assert_eq!(last_change(&entries(&test, &silent).await).unwrap().reason, "no_reply");
    assert_eq!(stored(&test, &answered).await.state.word(), "in_progress");
    assert_eq!(timers_of(&test, &answered).await, 1, "the window's timer took the promise's place");
}

/// D.1: 48 hours over without a record: closed, the doctor completes it later; overdue after 24 hours, still possible.
#[tokio::test]
async fn d_1_a_window_without_a_record_ends_and_waits_for_it() {
    let test = clinic().await;
    let (first_doctor, patient) = (doctor(&test).await, test.patient(PHONE).await);
    let id = accepted(&test, &patient, &first_doctor).await;
    reply(&test, &id, &first_doctor).await;
    test.advance_ms(48 * HOUR_MS).await;
    assert_eq!(stored(&test, &id).await.state.word(), "ended_no_record");
    assert_eq!(head(&test, &id).await.state, ConversationState::Closed);
    assert_eq!(timers_of(&test, &id).await, 1);
    test.advance_ms(24 * HOUR_MS).await;
    assert_eq!((stored(&test, &id).await.state.word(), timers_of(&test, &id).await), ("ended_no_record", 0));
    let again = doctor(&test).await;
    again.act(&path(&id, "end")).await.refused(409, "record_incomplete");
    write_record(&again, &id).await;
    assert_eq!(again.act(&path(&id, "end")).await.ok()["state"], "ended");
    let patient = patient_again(&test, PHONE).await;
    assert!(patient.get(&path(&id, "record")).await.ok()["completed_at"].is_i64());
    test.advance_ms(14 * 24 * HOUR_MS).await;
    let patient = patient_again(&test, PHONE).await;
    patient.post(&path(&id, "reviews"), json!({ "score": 5 })).await.refused(409, "review_too_late");
}

/// D.1, D.13: seven days after its end a consultation is settled by its timer, not a millisecond early, also over a restart.
#[tokio::test]
async fn d_1_an_ended_consultation_is_settled_after_seven_days() {
    let test = clinic().await;
    let (doctor, patient) = (doctor(&test).await, test.patient(PHONE).await);
    let id = accepted(&test, &patient, &doctor).await;
    reply(&test, &id, &doctor).await;
    write_record(&doctor, &id).await;
    assert_eq!(doctor.act(&path(&id, "end")).await.ok()["state"], "ended");
    assert_eq!(timers_of(&test, &id).await, 1);
    drop((doctor, patient));
    let test = test.restart().await;
    test.advance_ms(7 * 24 * HOUR_MS - 1).await;
    assert_eq!(stored(&test, &id).await.state.word(), "ended");
    test.advance_ms(1).await;
    assert_eq!((stored(&test, &id).await.state.word(), timers_of(&test, &id).await), ("settled", 0));
    let patient = patient_again(&test, PHONE).await;
    let shown = patient.get(&path(&id, "")).await.ok();
    assert_eq!((shown["state"].as_str(), shown["state_label"].as_str()), (Some("settled"), Some("已完成")));
    patient.post(&path(&id, "reviews"), json!({ "score": 5 })).await.status(201);
    let event: Option<String> = test
        .app
        .db
        .scalar(crate::sql!("SELECT event FROM consultation_history WHERE consultation_id = $1 AND to_state = 'settled'", id_of(&id)))
        .await
        .unwrap();
    assert_eq!(event.as_deref(), Some("deadline_passed"));
}

/// D.1: while money is asked back nothing is settled; once that is decided it is.
#[tokio::test]
async fn d_1_a_dispute_holds_the_settlement() {
    let test = clinic().await;
    let (doctor, patient) = (doctor(&test).await, test.patient(PHONE).await);
    let id = accepted(&test, &patient, &doctor).await;
    write_record(&doctor, &id).await;
    doctor.act(&path(&id, "end")).await.ok();
    let order_is = async |word: &str| {
        let mut tx = test.app.db.begin().await.unwrap();
        assert!(tx.run_one(crate::sql!("UPDATE orders SET refund_state = $1 WHERE subject_id = $2", word, id_of(&id))).await.unwrap());
        test.app.commit(tx).await.unwrap();
    };
    order_is("requested").await;
    test.advance_ms(8 * 24 * HOUR_MS).await;
    assert_eq!((stored(&test, &id).await.state.word(), timers_of(&test, &id).await), ("ended", 1));
    order_is("denied").await;
    test.advance_ms(24 * HOUR_MS).await;
    assert_eq!((stored(&test, &id).await.state.word(), timers_of(&test, &id).await), ("settled", 0));
}
