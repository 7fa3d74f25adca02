use super::rig::{Rig, Talk};
use crate::log::embedded::{anchor, engine, journal};
use crate::log::{Embedded, LogError, repair, verify};
use std::path::{Path, PathBuf};

/// Nine anchored texts and a tenth that the anchor does not know yet, as a power loss within half a second leaves them.
struct Ending {
    rig: Rig,
    talk: Talk,
    journal: PathBuf,
    bytes: Vec<u8>,
    /// Where the tenth begins and ends.
    last: std::ops::Range<usize>,
}

impl Ending {
    async fn new() -> Self {
        let rig = Rig::new();
        let log = rig.open();
        let talk = rig.talk(&log).await;
        for number in 1..10 {
            log.append(talk.id, vec![rig.text(talk.patient, &format!("text {number}"))], vec![]).await.unwrap();
        }
        log.close().await.unwrap();
        drop(log);
        let anchored = std::fs::read(rig.dir.path().join(anchor::FILE)).unwrap();
        let log = rig.open();
        let journal = newest_journal(&rig);
        let before = used(&std::fs::read(&journal).unwrap());
        log.append(talk.id, vec![rig.text(talk.patient, "text 10")], vec![]).await.unwrap();
        log.close().await.unwrap();
        drop(log);
        std::fs::write(rig.dir.path().join(anchor::FILE), anchored).unwrap();
        let bytes = std::fs::read(&journal).unwrap();
        let last = before..used(&bytes);
        Self { rig, talk, journal, bytes, last }
    }

    fn dir(&self) -> &Path {
        self.rig.dir.path()
    }

    /// The journal as it was, with this for its last batch, and the anchor before it.
    fn end_with(&self, last: &[u8]) {
        std::fs::write(&self.journal, [&self.bytes[..self.last.start], last].concat()).unwrap();
    }

    fn last(&self) -> Vec<u8> {
        self.bytes[self.last.clone()].to_vec()
    }

    async fn seq(&self) -> u64 {
        let log = self.rig.open();
        let seq = log.head(self.talk.id).await.unwrap().unwrap().seq;
        log.close().await.unwrap();
        seq
    }
}

fn used(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

fn newest_journal(rig: &Rig) -> PathBuf {
    journal::files(&rig.dir.path().join(engine::STORE)).unwrap().pop().unwrap().1
}

fn side_files(dir: &Path) -> Vec<PathBuf> {
    let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    names.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("cut-")).collect()
}

#[tokio::test]
async fn a_torn_last_batch_is_moved_to_a_side_file_wherever_it_was_torn() {
    let length = Ending::new().await.last.len();
    for kept in [1, 4, 12, 13, 40, length / 2, length - 5, length - 1] {
        let ending = Ending::new().await;
        let torn = ending.last()[..kept].to_vec();
        ending.end_with(&torn);
        let repaired = repair(ending.dir()).unwrap().expect("something was torn");
        assert_eq!((repaired.offset, repaired.commits), (ending.last.start, repaired.anchored), "{kept} bytes kept");
        assert_eq!(used(&torn), repaired.bytes, "{kept} bytes kept");
        assert_eq!(std::fs::read(&repaired.side_file).unwrap(), torn[..used(&torn)], "{kept} bytes kept");
        assert_eq!(std::fs::read(&ending.journal).unwrap(), ending.bytes[..ending.last.start], "{kept} bytes kept");
        assert_eq!(repair(ending.dir()).unwrap(), None, "nothing is left to repair");
        assert!(verify(ending.dir(), Some(&ending.rig.keys)).await.unwrap().is_sound());
        assert_eq!(ending.seq().await, 9, "{kept} bytes kept");
    }
}

#[tokio::test]
async fn a_last_batch_that_ends_and_is_wrong_inside_is_refused_until_it_is_repaired() {
    let length = Ending::new().await.last.len();
    // Not 5 to 12, its number: rows and checksum are whole then, and the number only says that it comes after the others.
    for at in [0, 2, 4, 13, 15, 30, length / 2, length - 13, length - 8] {
        let ending = Ending::new().await;
        let mut last = ending.last();
        last[at] ^= 0x40;
        ending.end_with(&last);
        let refused = Embedded::open(ending.rig.options()).unwrap_err();
        assert!(matches!(&refused, LogError::TornTail { offset, .. } if *offset == ending.last.start), "byte {at}: {refused}");
        assert!(refused.to_string().contains("wenzhen repair"), "{refused}");
        assert!(!verify(ending.dir(), None).await.unwrap().is_sound(), "byte {at}");
        let repaired = repair(ending.dir()).unwrap().expect("something was torn");
        assert_eq!(std::fs::read(repaired.side_file).unwrap(), last, "byte {at}");
        let log = ending.rig.open();
        let again = log.append(ending.talk.id, vec![ending.rig.text(ending.talk.patient, "again")], vec![]).await.unwrap();
        assert_eq!(again.entries[0].seq, 10, "byte {at}");
    }
}

#[tokio::test]
async fn what_the_anchor_knows_is_never_cut() {
    let ending = Ending::new().await;
    // One opening and closing anchors the tenth text; it is the first batch of the newest journal then.
    assert_eq!(ending.seq().await, 10);
    let journal = newest_journal(&ending.rig);
    let whole = std::fs::read(&journal).unwrap();
    for at in [0, 20, whole.len() / 2, whole.len() - 8] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        std::fs::write(&journal, &bytes).unwrap();
        assert_eq!(Embedded::open(ending.rig.options()).unwrap_err().code(), "log_damaged", "byte {at}");
        let refused = repair(ending.dir()).unwrap_err();
        assert!(refused.to_string().contains("acknowledged and are gone"), "byte {at}: {refused}");
        assert_eq!(std::fs::read(&journal).unwrap(), bytes, "byte {at}: nothing was cut");
        assert_eq!(side_files(ending.dir()), Vec::<PathBuf>::new());
    }
}

#[tokio::test]
async fn damage_before_whole_batches_is_not_repaired() {
    let ending = Ending::new().await;
    let mut bytes = ending.bytes.clone();
    bytes[ending.last.start / 2] ^= 0x40;
    std::fs::write(&ending.journal, &bytes).unwrap();
    let refused = repair(ending.dir()).unwrap_err();
    assert!(refused.to_string().contains("more than the end is broken"), "{refused}");
    assert_eq!(std::fs::read(&ending.journal).unwrap(), bytes);
}

#[tokio::test]
async fn an_open_log_is_neither_repaired_nor_opened_twice() {
    let rig = Rig::new();
    let log = rig.open();
    assert!(matches!(repair(rig.dir.path()), Err(LogError::InUse)));
    assert!(matches!(Embedded::open(rig.options()), Err(LogError::InUse)));
    log.close().await.unwrap();
    drop(log);
    assert_eq!(repair(rig.dir.path()).unwrap(), None);
}
