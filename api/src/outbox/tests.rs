use super::*;
use crate::{
    row,
    testing::{
        TestApp,
        probe::{self, Probe},
    },
};

fn key() -> Uuid {
    // Told apart over all tests of the process.
    Uuid::from_bytes(chat::entropy::Entropy::System.bytes())
}

async fn send(test: &TestApp, topic: &'static str, key: Uuid, probes: &[Probe]) {
    let mut tx = test.app.db.begin().await.unwrap();
    for probe in probes {
        enqueue(&test.app, &mut tx, topic, key, probe).await.unwrap();
    }
    test.app.commit(tx).await.unwrap();
}

row! { struct Left { open: i64, dead: i64 } }

async fn left(test: &TestApp, key: Uuid) -> (i64, i64) {
    let left: Left = test
        .app
        .db
        .one(sql!(
            "SELECT COUNT(CASE WHEN closed_at IS NULL THEN 1 END) AS open, COUNT(CASE WHEN dead IS NOT NULL THEN 1 END) AS dead
             FROM outbox WHERE object_key = $1",
            key
        ))
        .await
        .unwrap();
    (left.open, left.dead)
}

/// DESIGN §9: an effect exists exactly if its transaction committed.
#[tokio::test]
async fn a_message_is_as_durable_as_its_transaction() {
    let test = TestApp::start().await;
    let key = key();
    let mut tx = test.app.db.begin().await.unwrap();
    enqueue(&test.app, &mut tx, probe::LATER, key, &Probe::word("undone")).await.unwrap();
    tx.rollback().await.unwrap();
    send(&test, probe::LATER, key, &[Probe::word("done")]).await;
    let test = test.restart().await;
    test.settle().await;
    test.settle().await;
    assert_eq!(probe::tried(key), ["done"]);
    assert_eq!(left(&test, key).await, (0, 0));
}

/// Inline messages are handled before the commit returns; others wait for the runner.
#[tokio::test]
async fn inline_means_before_the_answer() {
    let test = TestApp::start().await;
    let (now, later) = (key(), key());
    send(&test, probe::INLINE, now, &[Probe::word("a"), Probe::word("b")]).await;
    send(&test, probe::LATER, later, &[Probe::word("c")]).await;
    assert_eq!(probe::tried(now), ["a", "b"]);
    assert!(probe::tried(later).is_empty());
    test.settle().await;
    assert_eq!(probe::tried(later), ["c"]);
}

/// A failure is repeated with growing pauses and holds back its own key only; the order within the key stands.
#[tokio::test]
async fn one_key_keeps_its_order_through_failures_and_blocks_nobody() {
    let test = TestApp::start().await;
    for topic in [probe::LATER, probe::INLINE] {
        let (sick, well) = (key(), key());
        let failing = Probe { failures: 2, ..Probe::word("first") };
        send(&test, topic, sick, &[failing, Probe::word("second")]).await;
        send(&test, topic, well, &[Probe::word("other")]).await;
        test.settle().await;
        assert_eq!(probe::tried(sick), ["first"]);
        assert_eq!(probe::tried(well), ["other"]);
        test.advance_ms(1_999).await;
        assert_eq!(probe::tried(sick), ["first"], "not before its pause is over");
        test.advance_ms(1).await;
        assert_eq!(probe::tried(sick), ["first", "first"]);
        test.advance_ms(4_000).await;
        assert_eq!(probe::tried(sick), ["first", "first", "first", "second"]);
        assert_eq!(left(&test, sick).await, (0, 0));
    }
}

/// What cannot succeed is laid aside, counted, and lets the next of its key pass.
#[tokio::test]
async fn a_dead_letter_stays_and_blocks_nobody() {
    let test = TestApp::start().await;
    let (hopeless, weary) = (key(), key());
    send(&test, probe::LATER, hopeless, &[Probe { permanent: true, ..Probe::word("never") }, Probe::word("next")]).await;
    send(&test, probe::LATER, weary, &[Probe { failures: usize::MAX, ..Probe::word("again") }, Probe::word("next")]).await;
    for _ in 0..ATTEMPTS_MAX {
        test.advance_ms(15 * 60 * 1_000).await;
    }
    assert_eq!(probe::tried(hopeless), ["never", "next"]);
    assert_eq!(left(&test, hopeless).await, (0, 1));
    let tried = probe::tried(weary);
    assert_eq!(tried.iter().filter(|word| *word == "again").count(), usize::try_from(ATTEMPTS_MAX).unwrap());
    assert_eq!((tried.last().map(String::as_str), left(&test, weary).await), (Some("next"), (0, 1)));
}

/// A process that dies inside a handler leaves its claim; when that has run out, another one handles the message again. One that
/// knows itself alone does not wait for that.
#[test]
fn a_crash_inside_a_handler_repeats_it_and_keeps_the_order() {
    for (topic, alone) in [(probe::LATER, false), (probe::INLINE, false), (probe::LATER, true), (probe::INLINE, true)] {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (folder, clock, key) = runtime.block_on(async {
            let test = TestApp::start().await;
            let key = key();
            let work = async {
                send(&test, topic, key, &[Probe { hangs_once: true, ..Probe::word("first") }, Probe::word("second")]).await;
                test.settle().await;
            };
            tokio::select! {
                () = work => panic!("the handler hangs"),
                () = probe::until_tried(key, 1) => {}
            }
            let clock = test.app.clock.clone();
            (test.abandon(), clock, key)
        });
        drop(runtime);
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let test = TestApp::reopen(folder, clock).await;
            test.settle().await;
            assert_eq!(probe::tried(key), ["first"], "its claim may still belong to somebody alive");
            if alone {
                crate::background::take_over(&test.app).await.unwrap();
                test.settle().await;
            } else {
                test.advance_ms(CLAIM_MS + 1).await;
            }
            assert_eq!(probe::tried(key), ["first", "first", "second"]);
            assert_eq!(left(&test, key).await, (0, 0));
        });
    }
}
