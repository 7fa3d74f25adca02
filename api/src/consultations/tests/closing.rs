//! The closing saga stopped between each pair of its steps, the process gone, the stores opened again.

use super::*;
use crate::failpoint;
use chat::log::head::ConversationState;

/// SQL `ENDING` → log `closed` → SQL `ENDED(seq)`: wherever it stops, the next life finishes it once.
#[test]
fn the_closing_saga_survives_a_stop_between_any_two_steps() {
    for point in ["closing.before_log", "closing.after_log", "closing.before_ended", "closing.after_ended"] {
        let (folder, clock, id) = first_life(point);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let test = TestApp::reopen(folder, clock).await;
            test.advance_ms(2 * MINUTE_MS).await; // the claim of the life that ended runs out
            let it = stored(&test, &id).await;
            assert_eq!(it.state.word(), "ended", "{point}");
            let said = entries(&test, &id).await;
            let closed: Vec<u64> = said.iter().filter(|entry| is_closed(entry)).map(|entry| entry.seq).collect();
            assert_eq!(closed.len(), 1, "{point}: closed exactly once");
            assert!(matches!(it.state, super::super::machine::State::Ended { closed: at, .. } if at.seq == closed[0]), "{point}");
            assert_eq!(head(&test, &id).await.state, ConversationState::Closed);
            let signed: Option<i64> =
                test.app.db.scalar(crate::sql!("SELECT signed_at FROM records WHERE consultation_id = $1", id_of(&id))).await.unwrap();
            assert!(signed.is_some(), "{point}: the record is signed");
        });
    }
}

fn is_closed(entry: &wire::Entry) -> bool {
    let closed = i32::from(wire::consultation_change::State::Closed);
    matches!(entry.body.as_ref().and_then(|body| body.kind.as_ref()), Some(Body::Consultation(change)) if change.state == closed)
}

/// Ends a consultation and is stopped at the point: the runtime is dropped with everything in memory.
fn first_life(point: &'static str) -> (tempfile::TempDir, chat::clock::Clock, Value) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (folder, clock, id) = runtime.block_on(async {
        let test = clinic().await;
        let (doctor, patient) = (doctor(&test).await, test.patient(PHONE).await);
        let id = accepted(&test, &patient, &doctor).await;
        write_record(&doctor, &id).await;
        let mut armed = failpoint::arm(&test.app, point);
        let end = path(&id, "end");
        tokio::select! {
            answer = doctor.act(&end) => panic!("{point} was not reached: {}", answer.text()),
            () = armed.reached() => {}
        }
        let clock = test.app.clock.clone();
        (test.abandon(), clock, id)
    });
    drop(runtime);
    (folder, clock, id)
}
