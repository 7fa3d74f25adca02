//! The byte budget, lag mode and what is dropped first.

use super::*;
use crate::ids::{Timestamp, UserId};
use proptest::prelude::*;
use uuid::Uuid;

fn limits() -> HubLimits {
    HubLimits { queue_bytes_max: 1_000, urgent_bytes_max: 300, ..Default::default() }
}

fn conversation(number: u128) -> ConversationId {
    Uuid::from_u128(number).into()
}

fn item(class: Class, bytes: usize) -> Outgoing {
    Outgoing { message: Message::text("x".repeat(bytes - ITEM_BYTES)), class }
}

fn mark(number: u128, seq: u64) -> EntryMark {
    EntryMark { conversation: conversation(number), seq, hash_prefix: [0; 8], at: Timestamp(0) }
}

fn entry(number: u128, seq: u64, bytes: usize) -> Outgoing {
    item(Class::Entry { mark: mark(number, seq), urgent: false }, bytes)
}

fn urgent(seq: u64, bytes: usize) -> Outgoing {
    item(Class::Entry { mark: mark(9, seq), urgent: true }, bytes)
}

fn typing(bytes: usize) -> Outgoing {
    item(Class::Ephemeral(Some(EphemeralKey::Typing(conversation(1), UserId::NIL))), bytes)
}

fn drain(mailbox: &Mailbox) -> Vec<Next> {
    std::iter::from_fn(|| Some(mailbox.next()).filter(|next| *next != Next::Nothing)).collect()
}

#[test]
fn a_slow_reader_is_told_the_newest_of_each_conversation_once() {
    let mailbox = Mailbox::default();
    for seq in 1..=9 {
        assert_eq!(mailbox.push(entry(1, seq, 100), &limits()), Pushed::Queued);
    }
    assert_eq!(mailbox.push(entry(2, 5, 200), &limits()), Pushed::LagBegan);
    assert_eq!(mailbox.push(entry(1, 10, 100), &limits()), Pushed::Dropped);
    assert_eq!(drain(&mailbox), [Next::Lagged(vec![mark(1, 10), mark(2, 5)])]);
    assert_eq!(mailbox.push(entry(1, 11, 100), &limits()), Pushed::Queued, "the lag ended with its report");
    assert_eq!(mailbox.bytes(), 100);
}

#[test]
fn ephemerals_are_dropped_before_an_entry_is() {
    let mailbox = Mailbox::default();
    assert_eq!(mailbox.push(typing(200), &limits()), Pushed::Queued);
    for seq in 1..=8 {
        mailbox.push(entry(1, seq, 100), &limits());
    }
    assert_eq!(mailbox.push(entry(1, 9, 100), &limits()), Pushed::Queued);
    assert!(!mailbox.is_lagging());
    assert_eq!(drain(&mailbox).len(), 9);
}

#[test]
fn ephemerals_stop_at_half_the_budget_and_the_latest_wins() {
    let mailbox = Mailbox::default();
    mailbox.push(typing(100), &limits());
    mailbox.push(typing(150), &limits());
    assert_eq!(mailbox.bytes(), 150);
    mailbox.push(entry(1, 1, 400), &limits());
    assert_eq!(mailbox.push(item(Class::Ephemeral(None), 100), &limits()), Pushed::Dropped);
    assert_eq!(mailbox.push(typing(160), &limits()), Pushed::Queued, "replaces what waits");
}

#[test]
fn urgent_entries_go_first_and_pass_a_lag_within_their_own_limit() {
    let mailbox = Mailbox::default();
    for seq in 1..=11 {
        mailbox.push(entry(1, seq, 100), &limits());
    }
    assert!(mailbox.is_lagging());
    mailbox.push(item(Class::Reply, 100), &limits());
    assert_eq!(mailbox.push(urgent(1, 100), &limits()), Pushed::Queued);
    assert_eq!(mailbox.push(urgent(2, 200), &limits()), Pushed::Queued);
    assert_eq!(mailbox.push(urgent(3, 100), &limits()), Pushed::Dropped);
    let lengths: Vec<_> = drain(&mailbox)
        .into_iter()
        .map(|next| match next {
            Next::Item(item) => cost(&item.message),
            Next::Lagged(marks) => marks.len(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(lengths, [100, 200, 100, 2]);
}

#[test]
fn replies_are_never_dropped_and_a_revocation_discards_all() {
    let mailbox = Mailbox::default();
    for _ in 0..50 {
        assert_eq!(mailbox.push(item(Class::Reply, 100), &limits()), Pushed::Queued);
    }
    let order = CloseOrder { code: CloseCode::Revoked, within_ms: 0 };
    mailbox.close(order, true);
    mailbox.close(CloseOrder { code: CloseCode::Drain, within_ms: 7 }, false);
    mailbox.ping();
    assert_eq!(mailbox.next(), Next::Close(order));
    assert_eq!(mailbox.push(item(Class::Reply, 100), &limits()), Pushed::Dropped);
}

#[test]
fn a_drain_writes_what_waits_before_it_closes() {
    let mailbox = Mailbox::default();
    mailbox.push(item(Class::Reply, 100), &limits());
    mailbox.close(CloseOrder { code: CloseCode::Drain, within_ms: 7 }, false);
    assert!(matches!(mailbox.next(), Next::Item(_)));
    assert!(matches!(mailbox.next(), Next::Close(_)));
}

proptest! {
    /// Whatever comes, every entry is either written or told by a later report with at least its seq.
    #[test]
    fn no_entry_is_lost_without_being_told(ops in proptest::collection::vec((0_u8..6, 64_usize..400), 1..200)) {
        let mailbox = Mailbox::default();
        let mut sent = 0_u64;
        let mut told = 0_u64;
        let mut written = std::collections::BTreeSet::new();
        let mut observe = |next: Next| match next {
            Next::Item(Outgoing { message: Message::Binary(bytes), .. }) => { written.insert(u64::from_le_bytes(bytes[..8].try_into().unwrap())); }
            Next::Lagged(marks) => told = told.max(marks[0].seq),
            _ => {}
        };
        for (kind, bytes) in ops {
            match kind {
                0 => observe(mailbox.next()),
                1 => drop(mailbox.push(typing(bytes), &limits())),
                2 => drop(mailbox.push(item(Class::Normal, bytes), &limits())),
                _ => {
                    sent += 1;
                    let mut payload = sent.to_le_bytes().to_vec();
                    payload.resize(bytes, 0);
                    let class = Class::Entry { mark: mark(1, sent), urgent: kind == 5 };
                    mailbox.push(Outgoing { message: Message::Binary(payload.into()), class }, &limits());
                }
            }
            prop_assert!(mailbox.bytes() <= 2 * limits().queue_bytes_max + 400 + limits().urgent_bytes_max);
        }
        for next in drain(&mailbox) { observe(next) }
        prop_assert_eq!(mailbox.bytes(), 0);
        for seq in 1..=sent {
            prop_assert!(written.contains(&seq) || seq <= told, "{} of {}", seq, sent);
        }
    }
}
