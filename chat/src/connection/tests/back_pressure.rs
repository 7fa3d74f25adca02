//! Slow readers: they lag, are told so, pull, and miss nothing; they cost a bounded number of bytes; and they are given up in the end.

use super::rig::{Client, PATIENCE, Rig, limits, rig_with, text_kind};
use crate::errors::CloseCode;
use crate::ids::{ConversationId, Role};
use crate::limits::HubLimits;
use crate::wire::codec::Subprotocol;
use crate::wire::{Pull, SenderRole, event::Kind};
use std::collections::BTreeSet;

/// More than all buffers between the two take.
const ENTRIES: u64 = 1_500;
/// A commit that fits the budget, so that it is the reader who is too slow and not the burst too large.
const BATCH: u64 = 10;

async fn narrow(rig: &Rig) -> (Client, super::rig::Person, ConversationId) {
    let (patient, doctor) = (rig.person(Role::Patient), rig.person(Role::Doctor));
    let conversation = rig.conversation(&[(&patient, SenderRole::Patient), (&doctor, SenderRole::Doctor)]).await;
    let mut slow = rig.open_narrow(Subprotocol::Json).await;
    slow.send(rig.hello(&doctor)).await;
    assert!(matches!(slow.event().await, Kind::Welcome(_)));
    (slow, patient, conversation)
}

async fn flood(rig: &Rig, person: &super::rig::Person, conversation: ConversationId) {
    let long = "长".repeat(600);
    for _ in 0..ENTRIES / BATCH {
        rig.append_many(conversation, person.user, &vec![long.as_str(); usize::try_from(BATCH).unwrap()]).await;
    }
}

#[tokio::test]
async fn a_slow_reader_lags_is_told_once_and_pulls_everything() {
    let rig = rig_with(limits()).await;
    let (mut slow, patient, conversation) = narrow(&rig).await;
    flood(&rig, &patient, conversation).await;
    until(|| rig.hub.stats().lagging == 1).await;
    let stats = rig.hub.stats();
    assert!(stats.queued_bytes <= rig.hub.limits.queue_bytes_max, "{}", stats.queued_bytes);

    let urgent = rig.append(conversation, None, text_kind("120 is on the way"), true).await;
    let mut got = BTreeSet::new();
    // It may have caught its breath in between and been told before; the last report names the newest entry that was dropped.
    let mut reported = 0;
    let mut urgent_came_before_the_report = false;
    while reported < ENTRIES {
        match slow.event().await {
            Kind::Entry(entry) => {
                urgent_came_before_the_report |= entry.seq == urgent;
                assert!(got.insert(entry.seq), "twice: {}", entry.seq);
            }
            Kind::Heads(heads) => {
                assert!(heads.lagging && heads.heads[0].seq > reported);
                reported = heads.heads[0].seq;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(urgent_came_before_the_report);
    assert!((got.len() as u64) < ENTRIES, "some were dropped");
    for from_seq in 1..=urgent {
        if !got.contains(&from_seq) {
            slow.send(Pull { conversation: conversation.to_string(), from_seq, limit: 200, ..Default::default() }).await;
            got.extend(slow.until_page().await.entries.iter().map(|entry| entry.seq));
        }
    }
    assert_eq!(got.len() as u64, urgent, "nothing was lost");
    rig.append(conversation, Some(patient.user), text_kind("and live again"), false).await;
    assert_eq!(slow.until_entry().await.seq, urgent + 1);
}

#[tokio::test]
async fn a_reader_without_progress_is_given_up() {
    let rig = rig_with(HubLimits { no_progress_ms: 100, sweep_ms: 10, ..limits() }).await;
    let mut changes = rig.hub.watch_presence_changes();
    let (mut slow, patient, conversation) = narrow(&rig).await;
    let doctor = changes.recv().await.unwrap();
    flood(&rig, &patient, conversation).await;
    assert_eq!(changes.recv().await.unwrap(), (doctor.0, false));
    // It was not written to any more, so no close frame could reach it: what it has is cut off.
    let closed = slow.closed().await;
    assert!(matches!(closed.code, None | Some(CloseCode::NoProgress)), "{closed:?}");
}

/// A client that asks without reading is not read any more: replies are bounded by its own requests.
#[tokio::test]
async fn a_client_that_only_asks_costs_a_bounded_number_of_bytes() {
    let rig = rig_with(limits()).await;
    let (mut slow, patient, conversation) = narrow(&rig).await;
    for _ in 0..40 {
        rig.append(conversation, Some(patient.user), text_kind(&"长".repeat(4_000)), false).await;
    }
    let mut asked = 0;
    let pull = || Pull { conversation: conversation.to_string(), from_seq: 1, limit: 200, ..Default::default() };
    while asked < 400 {
        tokio::select! {
            biased;
            () = slow.send(pull()) => asked += 1,
            () = until(|| rig.hub.stats().queued_bytes >= rig.hub.limits.queue_bytes_max) => break,
        }
        tokio::task::yield_now().await;
    }
    let bound = 2 * rig.hub.limits.queue_bytes_max + 2 * crate::limits::wire_limits::PAGE_BYTES_MAX;
    assert!(rig.hub.stats().queued_bytes <= bound, "{}", rig.hub.stats().queued_bytes);
    for _ in 0..asked {
        slow.until_page().await;
    }
}

async fn until(mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("it comes to that");
}
