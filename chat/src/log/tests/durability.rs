use super::rig::{Rig, text_kind, text_of};
use crate::log::embedded::{engine, journal};
use crate::log::{Embedded, Finding, Guard, Limits, LogError, MessageLog, Options, Refusal, verify};
use crate::wire::{self, body::Kind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn newest_journal(rig: &Rig) -> PathBuf {
    journal::files(&rig.dir.path().join(engine::STORE)).unwrap().pop().unwrap().1
}

/// Leaves a closed log with `count` texts of one conversation.
async fn written(rig: &Rig, count: usize) -> super::rig::Talk {
    let log = rig.open();
    let talk = rig.talk(&log).await;
    for number in 0..count {
        log.append(talk.id, vec![rig.text(talk.patient, &format!("text {number}"))], vec![]).await.unwrap();
    }
    log.close().await.unwrap();
    talk
}

#[tokio::test]
async fn a_cut_off_journal_is_noticed_and_refused() {
    let rig = Rig::new();
    written(&rig, 10).await;
    let path = newest_journal(&rig);
    let bytes = std::fs::read(&path).unwrap();
    let used = bytes.len() - bytes.iter().rev().take_while(|byte| **byte == 0).count();
    // In the middle of the last batch: what fjall takes for a torn tail and drops.
    std::fs::write(&path, &bytes[..used - 40]).unwrap();
    let report = verify(rig.dir.path(), Some(&rig.keys)).await.unwrap();
    assert!(report.findings.iter().any(|finding| finding.to_string().contains("gone")), "{:?}", report.findings);
    let refused = Embedded::open(rig.options()).unwrap_err();
    assert!(refused.to_string().contains("acknowledged and are gone"), "{refused}");
}

#[tokio::test]
async fn a_flipped_byte_before_the_last_batch_names_file_and_keys_and_is_refused() {
    let rig = Rig::new();
    written(&rig, 10).await;
    let path = newest_journal(&rig);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[2_000] ^= 0x10;
    std::fs::write(&path, &bytes).unwrap();
    let report = verify(rig.dir.path(), Some(&rig.keys)).await.unwrap();
    let named = report.findings.iter().find_map(|finding| match finding {
        Finding::Journal(damage) => Some(damage.clone()),
        _ => None,
    });
    let damage = named.expect("the journal's damage is named");
    assert_eq!(damage.file, path);
    assert!(damage.offset <= 2_000 && damage.after_key.is_some() && damage.before_key.is_some(), "{damage}");
    assert_eq!(Embedded::open(rig.options()).unwrap_err().code(), "log_damaged");
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "nothing was cut off while looking");
}

#[tokio::test]
async fn a_store_without_its_anchor_is_not_opened() {
    let rig = Rig::new();
    written(&rig, 1).await;
    std::fs::remove_file(rig.dir.path().join("anchor")).unwrap();
    assert_eq!(Embedded::open(rig.options()).unwrap_err().code(), "log_damaged");
    assert!(!verify(rig.dir.path(), None).await.unwrap().is_sound());
}

#[tokio::test]
async fn too_little_free_space_refuses_writes_and_leaves_reads() {
    let rig = Rig::new();
    let talk = written(&rig, 1).await;
    let log = MessageLog::Embedded(Embedded::open(Options { free_bytes_min: u64::MAX, ..rig.options() }).unwrap());
    let refused = log.append(talk.id, vec![rig.text(talk.patient, "x")], vec![]).await;
    assert!(matches!(&refused, Err(LogError::DiskLow)), "{refused:?}");
    assert!(refused.unwrap_err().temporary());
    assert!(log.stats().disk_low);
    assert_eq!(log.read(talk.id, 1, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_writer_that_dies_poisons_the_log_and_says_so_once() {
    let rig = Rig::new();
    let told = Arc::new(AtomicUsize::new(0));
    let counter = told.clone();
    let options = Options {
        publish: Arc::new(|committed| assert!(committed.head.seq < 2, "a subscriber's bug")),
        on_poison: Arc::new(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
        }),
        ..rig.options()
    };
    let log = MessageLog::Embedded(Embedded::open(options).unwrap());
    let talk = rig.talk(&log).await;
    log.append(talk.id, vec![rig.text(talk.patient, "one")], vec![]).await.unwrap();
    for _ in 0..3 {
        let refused = log.append(talk.id, vec![rig.text(talk.patient, "two")], vec![]).await;
        assert!(matches!(refused, Err(LogError::Poisoned)), "{refused:?}");
    }
    assert!(log.stats().poisoned);
    assert_eq!(told.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_message_is_recalled_by_its_sender_within_two_minutes() {
    let rig = Rig::new();
    let log = rig.open();
    let talk = rig.talk(&log).await;
    let recall = |seq| Kind::Recall(wire::Recall { seq });
    let refused = |result: Result<_, LogError>| match result {
        Err(LogError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    log.append(talk.id, vec![rig.text(talk.patient, "oops")], vec![]).await.unwrap();
    let others = log.append(talk.id, vec![rig.draft(Some(talk.doctor), recall(1))], vec![]).await;
    assert_eq!(refused(others), Refusal::NotRecallable);
    rig.clock.advance_ms(120_000);
    log.append(talk.id, vec![rig.draft(Some(talk.patient), recall(1))], vec![]).await.unwrap();
    let twice = log.append(talk.id, vec![rig.draft(Some(talk.patient), recall(2))], vec![]).await;
    assert_eq!(refused(twice), Refusal::NotRecallable, "a recall stays");
    rig.clock.advance_ms(1);
    let late = log.append(talk.id, vec![rig.draft(Some(talk.patient), recall(1))], vec![]).await;
    assert_eq!(refused(late), Refusal::TooOld);
    assert_eq!(text_of(&log.read(talk.id, 1, 1).await.unwrap()[0]), "oops", "hidden by clients, destroyed by nobody");
}

#[tokio::test]
async fn limits_of_size_and_number_are_refusals() {
    let rig = Rig::new();
    let limits = Limits { entries_per_conversation_max: 2, body_bytes_max: 64, drafts_per_append_max: 3, ..Limits::default() };
    let log = MessageLog::Embedded(Embedded::open(Options { limits, ..rig.options() }).unwrap());
    let talk = rig.talk(&log).await;
    let text = |text: &str| rig.text(talk.patient, text);
    let large = log.append(talk.id, vec![text(&"x".repeat(65))], vec![]).await;
    assert!(matches!(large, Err(LogError::TooLarge { max: 64 })));
    let many = log.append(talk.id, vec![text("a"), text("b"), text("c"), text("d")], vec![]).await;
    assert!(matches!(many, Err(LogError::TooMany { max: 3 })));
    let over = log.append(talk.id, vec![text("a"), text("b"), text("c")], vec![]).await;
    assert!(matches!(over, Err(LogError::Refused(Refusal::Full))));
    assert_eq!(log.head(talk.id).await.unwrap().unwrap().seq, 0, "all or nothing");
    log.append(talk.id, vec![text("a"), text("b")], vec![Guard::SeqIs(0)]).await.unwrap();
}

#[tokio::test]
async fn a_small_memory_ring_forgets_and_the_disk_answers_the_same() {
    let rig = Rig::new();
    let limits = Limits { tail_bytes_max: 16 * 4_000, ..Limits::default() };
    let log = MessageLog::Embedded(Embedded::open(Options { limits, ..rig.options() }).unwrap());
    let mut talks = Vec::new();
    for _ in 0..40 {
        let talk = rig.talk(&log).await;
        for text in ["a", "b", "c"] {
            log.append(talk.id, vec![rig.text(talk.patient, text)], vec![]).await.unwrap();
        }
        talks.push(talk);
    }
    assert!(log.stats().tail_bytes <= 16 * 4_000, "{:?}", log.stats());
    let published: Vec<_> = rig.published.lock().unwrap().iter().flat_map(|committed| committed.entries.clone()).collect();
    let mut read = Vec::new();
    for talk in &talks {
        read.extend(log.read(talk.id, 1, 10).await.unwrap());
        assert_eq!(log.append(talk.id, vec![rig.text(talk.doctor, "d")], vec![Guard::SeqIs(3)]).await.unwrap().head.seq, 4);
    }
    assert_eq!(read, published);
}

#[tokio::test]
async fn the_clock_going_back_does_not_take_the_conversation_with_it() {
    let rig = Rig::new();
    let log = rig.open();
    let talk = rig.talk(&log).await;
    let first = log.append(talk.id, vec![rig.draft(Some(talk.patient), text_kind("a"))], vec![]).await.unwrap();
    rig.clock.advance_ms(-86_400_000);
    let second = log.append(talk.id, vec![rig.draft(Some(talk.patient), text_kind("b"))], vec![]).await.unwrap();
    assert_eq!(second.entries[0].at, first.entries[0].at);
}
