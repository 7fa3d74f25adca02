use super::rig::{Rig, Talk};
use crate::ids::CallId;
use crate::log::embedded::{anchor, engine, journal, replay};
use crate::log::{MarkKind, Marks, MessageLog, verify};
use crate::wire::{self, body::Kind};
use std::path::{Path, PathBuf};

/// A talk whose rows were overwritten and removed, closed.
async fn written(rig: &Rig) -> Talk {
    let log = rig.open();
    let talk = rig.talk(&log).await;
    let call: CallId = rig.id();
    let invited = wire::CallInvited {
        call: call.to_string(),
        media: wire::CallMedia::Voice as i32,
        callee: talk.patient.to_string(),
        deadline_ms: 5,
    };
    log.append(talk.id, vec![rig.draft(Some(talk.doctor), Kind::CallInvited(invited))], vec![]).await.unwrap();
    let ended = wire::CallEnded { call: call.to_string(), ..Default::default() };
    log.append(talk.id, vec![rig.draft(None, Kind::CallEnded(ended))], vec![]).await.unwrap();
    for number in 3..20 {
        log.append(talk.id, vec![rig.text(talk.patient, &format!("text {number}"))], vec![]).await.unwrap();
        log.mark(talk.id, talk.doctor, MarkKind::Read, number).await.unwrap();
    }
    log.close().await.unwrap();
    talk
}

async fn check(rig: &Rig, talk: &Talk, seq: u64) {
    assert!(verify(rig.dir.path(), Some(&rig.keys)).await.unwrap().is_sound());
    let log = rig.open();
    let entries = log.read(talk.id, 1, 100).await.unwrap();
    assert_eq!(entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), (1..=seq).collect::<Vec<_>>());
    assert_eq!(log.head(talk.id).await.unwrap().unwrap().seq, seq);
    assert_eq!(log.marks(talk.id).await.unwrap(), [(talk.doctor, Marks { delivered: 19, read: 19 })]);
    assert!(log.live_calls().await.unwrap().is_empty(), "a removed row stays removed");
    log.close().await.unwrap();
    drop(log);
    assert_eq!(asides(rig), 0, "the old journals are gone");
    assert!(verify(rig.dir.path(), Some(&rig.keys)).await.unwrap().is_sound());
}

fn store_dir(rig: &Rig) -> PathBuf {
    rig.dir.path().join(engine::STORE)
}

fn asides(rig: &Rig) -> usize {
    std::fs::read_dir(store_dir(rig))
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("replay"))
        .count()
}

fn journals(dir: &Path) -> Vec<(u64, PathBuf)> {
    journal::files(dir).unwrap()
}

async fn one_more(rig: &Rig, log: &MessageLog, talk: &Talk) -> u64 {
    log.append(talk.id, vec![rig.text(talk.doctor, "one more")], vec![]).await.unwrap().entries[0].seq
}

#[tokio::test]
async fn reopening_again_and_again_keeps_every_row() {
    let rig = Rig::new();
    let talk = written(&rig).await;
    for round in 0..4 {
        check(&rig, &talk, 19 + round).await;
        let log = rig.open();
        assert_eq!(one_more(&rig, &log, &talk).await, 20 + round);
        log.close().await.unwrap();
    }
    assert_eq!(journals(&store_dir(&rig)).len(), 1);
}

#[tokio::test]
async fn rows_that_tables_have_are_left_to_the_tables() {
    let rig = Rig::new();
    let talk = written(&rig).await;
    let anchor = anchor::read(rig.dir.path()).unwrap().unwrap();
    let store = engine::open_store(&store_dir(&rig), Some(replay::read(&store_dir(&rig)).unwrap()), 1 << 20, &anchor).unwrap();
    // The live calls stay in memory: each keyspace has its own boundary.
    for keyspace in store.keyspaces().into_iter().filter(|keyspace| keyspace.id() != store.calls.id()) {
        keyspace.rotate_memtable_and_wait().unwrap();
    }
    drop(store);
    let store = engine::open_store(&store_dir(&rig), Some(replay::read(&store_dir(&rig)).unwrap()), 1 << 20, &anchor).unwrap();
    drop(store);
    let left: Vec<_> = replay::read(&store_dir(&rig))
        .unwrap()
        .journals
        .iter()
        .flat_map(|journal| journal.items().map(|item| item.key.to_vec()).collect::<Vec<_>>())
        .collect();
    assert_eq!(left, [talk.id.as_bytes().to_vec()], "one removal of a live call is all that no table has");
    check(&rig, &talk, 19).await;
}

#[tokio::test]
async fn an_opening_that_died_before_it_took_over_begins_again() {
    for torn in [false, true] {
        let rig = Rig::new();
        let talk = written(&rig).await;
        let before = copy_of(&store_dir(&rig));
        check(&rig, &talk, 19).await;
        let (_, taken_over) = journals(&store_dir(&rig)).pop().unwrap();
        let half = std::fs::read(&taken_over).map(|bytes| bytes[..bytes.len() / 2].to_vec()).unwrap();
        put_back(&before, &store_dir(&rig));
        replay::read(&store_dir(&rig)).unwrap().set_aside(&store_dir(&rig)).unwrap();
        assert_eq!((asides(&rig), journals(&store_dir(&rig)).len()), (1, 1));
        if torn {
            std::fs::write(&journals(&store_dir(&rig))[0].1, half).unwrap();
        }
        check(&rig, &talk, 19).await;
    }
}

#[tokio::test]
async fn an_opening_that_died_between_two_moves_begins_again() {
    let rig = Rig::new();
    let talk = written(&rig).await;
    let next = journals(&store_dir(&rig)).last().unwrap().0 + 1;
    std::fs::create_dir(store_dir(&rig).join(format!("replay-{next}"))).unwrap();
    check(&rig, &talk, 19).await;
}

#[tokio::test]
async fn old_journals_that_were_taken_over_are_not_taken_twice() {
    let rig = Rig::new();
    let talk = written(&rig).await;
    let old = copy_of(&store_dir(&rig));
    let log = rig.open();
    one_more(&rig, &log, &talk).await;
    log.close().await.unwrap();
    drop(log);
    let (number, _) = journals(&store_dir(&rig)).pop().unwrap();
    let aside = store_dir(&rig).join(format!("replay-{number}"));
    std::fs::create_dir(&aside).unwrap();
    for (_, file) in journals(old.path()) {
        std::fs::copy(&file, aside.join(file.file_name().unwrap())).unwrap();
    }
    check(&rig, &talk, 20).await;
}

fn copy_of(dir: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    put(dir, copy.path());
    copy
}

fn put_back(copy: &tempfile::TempDir, dir: &Path) {
    std::fs::remove_dir_all(dir).unwrap();
    put(copy.path(), dir);
}

fn put(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            put(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}
