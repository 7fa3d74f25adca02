//! Pulling, resuming, and noticing that the server's history is another one.

use super::rig::{Client, Rig, rig, text_kind, text_of};
use crate::ids::ConversationId;
use crate::wire::{Cursor, Entry, Heads, Pull, Resume, event::Kind};

async fn fill(rig: &Rig, client: &Client, conversation: ConversationId, texts: std::ops::RangeInclusive<u32>) {
    let texts: Vec<_> = texts.map(|number| number.to_string()).collect();
    for some in texts.chunks(50) {
        rig.append_many(conversation, client.person().user, &some.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }
}

fn pull(conversation: ConversationId, from_seq: u64, limit: u32) -> Pull {
    Pull { conversation: conversation.to_string(), from_seq, limit, ..Default::default() }
}

fn seqs(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.seq).collect()
}

fn cursor(entry: &Entry) -> Cursor {
    Cursor { conversation: entry.conversation.clone(), seq: entry.seq, hash_prefix: entry.hash.slice(..8) }
}

fn heads(kind: &Kind) -> &Heads {
    match kind {
        Kind::Heads(heads) => heads,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_page_is_what_was_asked_for_within_its_limits() {
    let rig = rig().await;
    let (mut patient, _doctor, conversation) = rig.pair().await;
    patient.send(pull(conversation, 0, 0)).await;
    let empty = patient.until_page().await;
    assert_eq!((empty.head_seq, empty.from_seq, empty.entries.len()), (0, 1, 0));
    fill(&rig, &patient, conversation, 1..=60).await;
    for (from_seq, limit, expected) in [
        (1, 3, vec![1, 2, 3]),
        (59, 200, vec![59, 60]),
        (61, 5, vec![]),
        (u64::MAX, 200, vec![]),
        (0, 2, vec![59, 60]),
        (0, 0, (11..=60).collect()),
    ] {
        patient.send(pull(conversation, from_seq, limit)).await;
        let page = patient.until_page().await;
        assert_eq!((seqs(&page.entries), page.head_seq), (expected, 60), "from {from_seq} limit {limit}");
    }
    patient.send(pull(conversation, 1, 201)).await;
    assert_eq!(patient.until_error().await.code, "invalid_field");
}

#[tokio::test]
async fn a_page_of_long_texts_ends_early_and_the_next_pull_goes_on() {
    let rig = rig().await;
    let (mut patient, _doctor, conversation) = rig.pair().await;
    for _ in 0..12 {
        rig.append(conversation, Some(patient.person().user), text_kind(&"疼".repeat(4_000)), false).await;
    }
    let mut got = Vec::new();
    while got.len() < 12 {
        patient.send(pull(conversation, got.len() as u64 + 1, 200)).await;
        let page = patient.until_page().await;
        assert!((1..=4).contains(&page.entries.len()), "{}", page.entries.len());
        got.extend(seqs(&page.entries));
    }
    assert_eq!(got, (1..=12).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_pull_with_the_hash_of_another_history_says_so() {
    let rig = rig().await;
    let (mut patient, _doctor, conversation) = rig.pair().await;
    fill(&rig, &patient, conversation, 1..=5).await;
    patient.send(pull(conversation, 3, 1)).await;
    let third = patient.until_page().await.entries.remove(0);
    let with_hash = |from_seq, hash_prefix: Vec<u8>| Pull { hash_prefix: hash_prefix.into(), ..pull(conversation, from_seq, 50) };
    patient.send(with_hash(4, third.hash[..8].to_vec())).await;
    assert_eq!(seqs(&patient.until_page().await.entries), [4, 5]);
    for (from_seq, prefix) in [(4, vec![0; 8]), (3, third.hash[..8].to_vec()), (9, third.hash[..8].to_vec()), (u64::MAX, vec![1; 8])] {
        patient.send(with_hash(from_seq, prefix)).await;
        let told = patient.settle().await;
        let [.., Kind::HistoryChanged(changed)] = told.as_slice() else { panic!("{told:?}") };
        let head = changed.head.as_ref().unwrap();
        assert_eq!((head.seq, head.hash_prefix.len()), (5, 8));
    }
    patient.send(with_hash(4, vec![0; 7])).await;
    assert_eq!(patient.until_error().await.code, "invalid_field");
}

/// M4: after a resume nothing is missing and nothing comes twice.
#[tokio::test]
async fn resume_tells_what_changed_and_brings_what_is_near() {
    let rig = rig().await;
    let (mut patient, mut doctor, near) = rig.pair().await;
    let members = [(&patient.person(), crate::wire::SenderRole::Patient), (&doctor.person(), crate::wire::SenderRole::Doctor)];
    let (same, far, unseen) = (rig.conversation(&members).await, rig.conversation(&members).await, rig.conversation(&members).await);
    for conversation in [near, same, far] {
        fill(&rig, &patient, conversation, 1..=2).await;
    }
    let mut cursors = Vec::new();
    for conversation in [near, same, far] {
        doctor.send(pull(conversation, 2, 1)).await;
        cursors.push(cursor(&doctor.until_page().await.entries[0]));
    }
    fill(&rig, &patient, near, 3..=52).await;
    fill(&rig, &patient, far, 3..=53).await;
    fill(&rig, &patient, unseen, 1..=1).await;
    patient.send(crate::wire::MarkRead { conversation: near.to_string(), up_to_seq: 40 }).await;
    patient.settle().await;
    let mut back = rig.connect(&doctor.person(), crate::wire::codec::Subprotocol::Json).await;
    back.send(Resume { cursors }).await;
    let told = back.settle().await;
    let mut changed: Vec<_> = heads(&told[0]).heads.iter().map(|head| (head.conversation.clone(), head.seq)).collect();
    changed.sort();
    let mut expected = vec![(near.to_string(), 52), (far.to_string(), 53), (unseen.to_string(), 1)];
    expected.sort();
    assert_eq!(changed, expected, "not the one that stands where it stood");
    let pages: Vec<_> = told.iter().filter_map(|kind| if let Kind::Page(page) = kind { Some(page) } else { None }).collect();
    assert_eq!(pages.len(), 1, "only the one that is behind by 50 or less");
    assert_eq!((pages[0].conversation.clone(), seqs(&pages[0].entries)), (near.to_string(), (3..=52).collect()));
    let marks: Vec<_> = told.iter().filter_map(|kind| if let Kind::Marks(marks) = kind { Some(marks.read_seq) } else { None }).collect();
    assert_eq!(marks, [40], "how far the other one is");
}

#[tokio::test]
async fn resume_notices_a_server_that_knows_less_or_something_else() {
    let rig = rig().await;
    let (mut patient, _doctor, conversation) = rig.pair().await;
    fill(&rig, &patient, conversation, 1..=3).await;
    let told = patient.settle().await;
    let Some(Kind::Entry(last)) = told.last() else { panic!("{told:?}") };
    let good = cursor(last);
    for cursor in [
        Cursor { hash_prefix: vec![9; 8].into(), ..good.clone() },
        Cursor { seq: 4, ..good.clone() },
        Cursor { seq: u64::MAX, ..good.clone() },
    ] {
        patient.send(Resume { cursors: vec![cursor] }).await;
        let told = patient.settle().await;
        assert!(told.iter().any(|kind| matches!(kind, Kind::HistoryChanged(_))), "{told:?}");
    }
    patient.send(Resume { cursors: vec![good.clone()] }).await;
    let told = patient.settle().await;
    assert!(heads(&told[0]).heads.is_empty() && told.len() == 1, "{told:?}");
    patient.send(Resume { cursors: vec![good; 201] }).await;
    assert_eq!(patient.until_error().await.code, "too_many");
}

#[tokio::test]
async fn the_last_line_of_a_page_reads_as_it_was_written() {
    let rig = rig().await;
    let (mut patient, _doctor, conversation) = rig.pair().await;
    let hostile = "a\u{202e}b'; DROP TABLE entries;--\r\n*1\r\n$4\r\n<script>&\u{1F468}\u{200D}\u{1F469}{{7*7}}%n${jndi:x}";
    patient.send(rig.send(conversation, hostile)).await;
    patient.until_sent().await;
    patient.send(pull(conversation, 1, 1)).await;
    assert_eq!(text_of(&patient.until_page().await.entries[0]), Some(hostile));
}
