use super::*;
use crate::testing::{
    TestApp,
    probe::{self, Probe},
};

const HOUR_MS: i64 = 3_600_000;

fn object() -> Uuid {
    // Told apart over all tests of the process.
    Uuid::from_bytes(chat::entropy::Entropy::System.bytes())
}

async fn set(test: &TestApp, object: Uuid, probe: &Probe, in_ms: i64) {
    let mut tx = test.app.db.begin().await.unwrap();
    schedule(&test.app, &mut tx, probe::TIMER, object, &probe.as_state(), test.app.clock.now().plus_ms(in_ms)).await.unwrap();
    test.app.commit(tx).await.unwrap();
}

async fn set_for(test: &TestApp, object: Uuid) -> i64 {
    test.app.db.scalar(sql!("SELECT COUNT(*) FROM timers WHERE object = $1", object)).await.unwrap().unwrap()
}

/// D.11-15: never early, once, and over a restart.
#[tokio::test]
async fn a_timer_fires_at_its_time_and_outlives_the_process() {
    let test = TestApp::start().await;
    let object = object();
    set(&test, object, &Probe::word("due"), HOUR_MS).await;
    test.advance_ms(HOUR_MS - 1).await;
    assert!(probe::tried(object).is_empty());
    let test = test.restart().await;
    test.settle().await;
    assert!(probe::tried(object).is_empty());
    test.advance_ms(1).await;
    test.advance_ms(HOUR_MS).await;
    assert_eq!(probe::tried(object), ["due"]);
    assert_eq!(set_for(&test, object).await, 0);
}

/// D.11-15: an object has one live timer of a kind; setting again replaces it, cancelling removes it.
#[tokio::test]
async fn another_deadline_takes_the_place_of_the_first() {
    let test = TestApp::start().await;
    let (moved, cancelled) = (object(), object());
    set(&test, moved, &Probe::word("old"), HOUR_MS).await;
    set(&test, moved, &Probe::word("new"), 2 * HOUR_MS).await;
    set(&test, cancelled, &Probe::word("gone"), HOUR_MS).await;
    assert_eq!(set_for(&test, moved).await, 1);
    let mut tx = test.app.db.begin().await.unwrap();
    assert!(cancel(&mut tx, probe::TIMER, cancelled).await.unwrap());
    assert!(!cancel(&mut tx, probe::TIMER, cancelled).await.unwrap());
    test.app.commit(tx).await.unwrap();
    test.advance_ms(HOUR_MS).await;
    assert!(probe::tried(moved).is_empty());
    test.advance_ms(HOUR_MS).await;
    assert_eq!(probe::tried(moved), ["new"]);
    assert!(probe::tried(cancelled).is_empty());
}

/// A timer stands between a person and his money or doctor: it is slowed down, never given up.
#[tokio::test]
async fn a_failing_timer_is_tried_until_it_succeeds() {
    let test = TestApp::start().await;
    let object = object();
    set(&test, object, &Probe { failures: 40, ..Probe::word("again") }, 0).await;
    for _ in 0..41 {
        test.advance_ms(60_000).await;
    }
    assert_eq!(probe::tried(object).len(), 41);
    assert_eq!(set_for(&test, object).await, 0);
}

/// A process that dies while a timer fires leaves its claim; afterwards it fires again.
#[test]
fn a_crash_while_firing_repeats_it() {
    repeats_after_a_crash(false);
    repeats_after_a_crash(true);
}

/// `alone`: nobody else can hold the claim.
fn repeats_after_a_crash(alone: bool) {
    let object = object();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (folder, clock) = runtime.block_on(async {
        let test = TestApp::start().await;
        set(&test, object, &Probe { hangs_once: true, ..Probe::word("due") }, 0).await;
        tokio::select! {
            () = test.settle() => panic!("the handler hangs"),
            () = probe::until_tried(object, 1) => {}
        }
        let clock = test.app.clock.clone();
        (test.abandon(), clock)
    });
    drop(runtime);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let test = TestApp::reopen(folder, clock).await;
        test.settle().await;
        assert_eq!(probe::tried(object), ["due"], "its claim may still belong to somebody alive");
        if alone {
            crate::background::take_over(&test.app).await.unwrap();
            test.settle().await;
        } else {
            test.advance_ms(60_001).await;
        }
        assert_eq!(probe::tried(object), ["due", "due"]);
        assert_eq!(set_for(&test, object).await, 0);
    });
}
