//! The closing saga under kill -9: a process of its own is killed between each pair of its steps, the next one opens its stores.

use super::*;
use crate::{background, failpoint, sql, testing::START};
use chat::{clock::Clock, log::head::ConversationState};

/// SQL `ENDING` → log `closed` → SQL `ENDED(seq)`: wherever it is killed, the next life finishes it once.
#[test]
fn the_closing_saga_survives_a_kill_between_any_two_steps() {
    let points = ["closing.before_ending", "closing.before_log", "closing.after_log", "closing.before_ended", "closing.after_ended"];
    for point in points {
        let remains = failpoint::killed_at("consultations::tests::closing::life", point);
        let id = remains.said["id"].clone();
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let test = TestApp::reopen(remains.folder, Clock::manual(START)).await;
            background::take_over(&test.app).await.unwrap();
            test.settle().await;
            let begun = point != "closing.before_ending";
            assert_eq!(stored(&test, &id).await.state.word(), if begun { "ended" } else { "in_progress" }, "{point}");
            // Nobody answered the doctor, so she asks once more.
            let doctor = doctor(&test).await;
            let again = doctor.act(&path(&id, "end")).await;
            if begun {
                again.refused(409, "wrong_state");
            } else {
                assert_eq!(again.ok()["state"], "ended");
            }
            is_ended_once(&test, &doctor, &id, point).await;
        });
    }
}

/// The child: a consultation up to its end.
#[tokio::test]
#[ignore = "lives only as the child of the test above"]
async fn life() {
    failpoint::live(async {
        let test = clinic().await;
        let (doctor, patient) = (doctor(&test).await, test.patient(PHONE).await);
        let id = accepted(&test, &patient, &doctor).await;
        write_record(&doctor, &id).await;
        failpoint::tell(&json!({ "id": id }));
        doctor.act(&path(&id, "end")).await.ok();
    })
    .await;
}

/// Everything that ending means is there, and nothing of it twice.
async fn is_ended_once(test: &TestApp, doctor: &TestPerson<'_>, id: &Value, point: &str) {
    let said = entries(test, id).await;
    let closed: Vec<u64> = said.iter().filter(|entry| is_closed(entry)).map(|entry| entry.seq).collect();
    assert_eq!(closed.len(), 1, "{point}: closed exactly once");
    let invited = said.iter().filter(|entry| matches!(kind(entry), Some(Body::Card(card)) if card.object == "review_invitation")).count();
    assert_eq!(invited, 1, "{point}: invited to a review once");
    assert!(
        matches!(stored(test, id).await.state, super::super::machine::State::Ended { closed: at, .. } if at.seq == closed[0]),
        "{point}"
    );
    assert_eq!(head(test, id).await.state, ConversationState::Closed, "{point}");

    let patient = patient_again(test, PHONE).await;
    assert!(patient.get(&path(id, "record")).await.ok()["signed_hash"].is_string(), "{point}: the record is signed");
    assert!(patient.get(&path(id, "record.pdf")).await.status(200).body.starts_with(b"%PDF"), "{point}");
    let page = test.get(&format!("/api/doctors/{}", doctor_id(doctor).await.as_str().unwrap())).await.ok();
    assert_eq!(page["consultation_count"], 1, "{point}: counted once");
    assert_eq!(count(test, sql!("SELECT COUNT(*) FROM orders WHERE stage = 'done'")).await, 1, "{point}: the order is served");
    assert_eq!(count(test, sql!("SELECT COUNT(*) FROM notifications WHERE title = '病历已完成'")).await, 1, "{point}: told once");
    for event in ["end", "log_closed"] {
        let times = sql!("SELECT COUNT(*) FROM consultation_history WHERE consultation_id = $1 AND event = $2", id_of(id), event);
        assert_eq!(count(test, times).await, 1, "{point}: {event}");
    }
}

fn kind(entry: &wire::Entry) -> Option<&Body> {
    entry.body.as_ref().and_then(|body| body.kind.as_ref())
}

fn is_closed(entry: &wire::Entry) -> bool {
    let closed = i32::from(wire::consultation_change::State::Closed);
    matches!(kind(entry), Some(Body::Consultation(change)) if change.state == closed)
}
