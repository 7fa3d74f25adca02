use super::rig::{Rig, Talk};
use crate::log::embedded::{anchor, engine, replay, store::Store};
use crate::log::row;
use crate::log::{Embedded, Finding, MessageLog, Options, verify};
use rand::{RngExt, SeedableRng};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Three conversations, a call, marks, and part of it flushed to tables.
async fn hospital(rig: &Rig) -> Vec<Talk> {
    let log = rig.open();
    let mut talks = Vec::new();
    for round in 0..3 {
        let talk = rig.talk(&log).await;
        for number in 0..20 {
            log.append(talk.id, vec![rig.text(talk.patient, &format!("{round} {number} 头疼"))], vec![]).await.unwrap();
        }
        log.mark(talk.id, talk.doctor, crate::log::MarkKind::Read, 7).await.unwrap();
        talks.push(talk);
    }
    log.close().await.unwrap();
    drop(log);
    with_store(rig.dir.path(), |store| {
        for keyspace in store.keyspaces() {
            keyspace.rotate_memtable_and_wait().unwrap();
        }
    });
    let log = rig.open();
    log.append(talks[0].id, vec![rig.text(talks[0].doctor, "after the flush")], vec![]).await.unwrap();
    log.close().await.unwrap();
    talks
}

fn with_store(dir: &Path, change: impl FnOnce(&Store)) {
    let anchor = anchor::read(dir).unwrap().unwrap();
    let store_dir = dir.join(engine::STORE);
    let pending = replay::read(&store_dir).unwrap();
    let store = engine::open_store(&store_dir, Some(pending), 1 << 20, &anchor).unwrap();
    change(&store);
    store.db.persist(fjall::PersistMode::SyncAll).unwrap();
}

async fn findings(rig: &Rig) -> Vec<Finding> {
    let report = verify(rig.dir.path(), Some(&rig.keys)).await.unwrap();
    report.findings
}

#[tokio::test]
async fn a_sound_log_verifies_with_and_without_keys_and_after_erasure() {
    let rig = Rig::new();
    let talks = hospital(&rig).await;
    let with_keys = verify(rig.dir.path(), Some(&rig.keys)).await.unwrap();
    assert!(with_keys.is_sound(), "{:?}", with_keys.findings);
    assert_eq!((with_keys.conversations, with_keys.entries), (3, 61));
    assert!(verify(rig.dir.path(), None).await.unwrap().is_sound());
    rig.keys.destroy_person(talks[1].patient);
    let erased = verify(rig.dir.path(), Some(&rig.keys)).await.unwrap();
    assert!(erased.is_sound());
    assert_eq!(erased.erased, 1);
}

#[tokio::test]
async fn each_byte_changed_inside_a_stored_entry_names_that_entry() {
    let rig = Rig::new();
    let talk = hospital(&rig).await[1];
    let key = row::entry_key(talk.id, 5);
    let mut original = Vec::new();
    with_store(rig.dir.path(), |store| original = store.entry(talk.id, 5).unwrap().unwrap().to_vec());
    for at in (0..original.len()).step_by(7) {
        let mut changed = original.clone();
        changed[at] ^= 0x20;
        with_store(rig.dir.path(), |store| store.entries.insert(key, changed).unwrap());
        let found = findings(&rig).await;
        let named = found.iter().any(|finding| matches!(finding, Finding::Entry { conversation, seq: 5, .. } if *conversation == talk.id));
        assert!(named, "byte {at}: {found:?}");
        let log = rig.open();
        assert_eq!(log.read(talk.id, 1, 10).await.unwrap_err().code(), "log_damaged", "byte {at}");
        log.close().await.unwrap();
    }
}

#[tokio::test]
async fn lost_and_foreign_rows_are_found() {
    type Change = fn(&Store, &Talk, &Talk);
    let changes: [(&str, Change); 8] = [
        ("missing entry", |store, talk, _| store.entries.remove(row::entry_key(talk.id, 9)).unwrap()),
        ("cut tail", |store, talk, _| store.entries.remove(row::entry_key(talk.id, 20)).unwrap()),
        ("lost head", |store, talk, _| store.heads.remove(talk.id.as_bytes()).unwrap()),
        ("old head", |store, talk, _| {
            let mut head = store.head(talk.id).unwrap().unwrap();
            head.members.pop();
            store.heads.insert(talk.id.as_bytes(), row::encode_head(&head)).unwrap();
        }),
        ("lost id", |store, talk, _| {
            let bytes = store.entry(talk.id, 3).unwrap().unwrap();
            let header = row::EntryRow::decode(&bytes).unwrap().header;
            store.ids.remove(row::id_key(talk.id, header.sender, header.id)).unwrap();
        }),
        ("foreign id", |store, talk, other| {
            let id = row::IdRow { seq: 2, fingerprint: crate::seal::Fingerprint([0; 16]) };
            let key = row::id_key(talk.id, Some(other.patient), crate::ids::MessageId::NIL);
            store.ids.insert(key, id.encode()).unwrap();
        }),
        ("call that is none", |store, talk, _| store.calls.insert(talk.id.as_bytes(), []).unwrap()),
        ("feed hole", |store, _, _| store.feed.remove(30_u64.to_be_bytes()).unwrap()),
    ];
    for (name, change) in changes {
        let rig = Rig::new();
        let talks = hospital(&rig).await;
        with_store(rig.dir.path(), |store| change(store, &talks[1], &talks[2]));
        let found = findings(&rig).await;
        assert!(!found.is_empty(), "{name} was not found");
    }
}

/// Every file of the store, seeded flips: what opens afterwards and says it is sound must still tell every acknowledged word.
#[tokio::test]
async fn a_flipped_bit_anywhere_is_never_wrong_data_and_never_a_panic() {
    let rig = Rig::new();
    let talks = hospital(&rig).await;
    let told = everything(&rig.open(), &talks).await.unwrap();
    let seed = 20_261;
    let mut chance = rand::rngs::StdRng::seed_from_u64(seed);
    let files = files(rig.dir.path());
    let (mut refused, mut harmless) = (0, 0);
    for round in 0..rounds() {
        let file = &files[round % files.len()];
        let copy = copy_of(rig.dir.path());
        let path = copy.path().join(file);
        let mut bytes = std::fs::read(&path).unwrap();
        let used = bytes.len() - bytes.iter().rev().take_while(|byte| **byte == 0).count();
        if used == 0 {
            continue;
        }
        let (at, bit) = (chance.random_range(0..used), chance.random_range(0..8));
        bytes[at] ^= 1 << bit;
        std::fs::write(&path, &bytes).unwrap();
        let place = format!("seed {seed}, round {round}: bit {bit} of byte {at} of {}", file.display());
        let report = verify(copy.path(), Some(&rig.keys)).await.unwrap_or_else(|error| panic!("{place}: {error}"));
        let options = Options { dir: copy.path().into(), ..rig.options() };
        match Embedded::open(options) {
            Err(_) => refused += 1,
            Ok(log) => {
                let log = MessageLog::Embedded(log);
                match everything(&log, &talks).await {
                    Ok(again) => assert_eq!(again, told, "{place}: wrong data, verify said {:?}", report.findings),
                    Err(_) => assert!(!report.is_sound(), "{place}: unreadable, and verify finds nothing"),
                }
                harmless += 1;
            }
        }
    }
    assert!(refused > 0 && harmless > 0, "{refused} refused, {harmless} opened");
}

fn rounds() -> usize {
    std::env::var("WENZHEN_FLIPS").ok().and_then(|count| count.parse().ok()).unwrap_or(60)
}

async fn everything(log: &MessageLog, talks: &[Talk]) -> Result<Vec<Arc<crate::wire::Entry>>, crate::log::LogError> {
    let mut all = Vec::new();
    for talk in talks {
        let head = log.head(talk.id).await?.ok_or(crate::log::LogError::UnknownConversation)?;
        let entries = log.read(talk.id, 1, 1_000).await?;
        if entries.len() as u64 != head.seq {
            return Err(crate::log::LogError::UnknownConversation);
        }
        all.extend(entries);
    }
    Ok(all)
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name != "lock") {
                found.push(path.strip_prefix(dir).unwrap().to_path_buf());
            }
        }
    }
    found.sort();
    found
}

fn copy_of(dir: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in files(dir) {
        let target = copy.path().join(&file);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(dir.join(&file), target).unwrap();
    }
    // Locks are empty files that the engine expects.
    for folder in ["store", "store/keyspaces"] {
        let _ = std::fs::File::create(copy.path().join(folder).join("lock"));
    }
    copy
}
