use super::*;
use chat::wire::{Body, Text, body};

const KEY: u64 = 11;

/// A server of one conversation, as far as the ledger sees it.
struct Rig {
    ledger: Ledger,
    stored: Vec<Entry>,
}

impl Rig {
    fn new() -> Self {
        let mut ledger = Ledger::new(KEY);
        ledger.conversation("c", 2);
        Self { ledger, stored: Vec::new() }
    }

    fn send(&mut self) -> Entry {
        let place = self.ledger.sending(0, 0, 1_000);
        let seq = 3 + self.stored.len() as u64;
        let text = Some(body::Kind::Text(Text { text: place.text(KEY), reply_to_seq: 0 }));
        let entry = Entry {
            conversation: "c".into(),
            seq,
            id: self.ledger.id(place, 5).to_string(),
            sender: "a".into(),
            at_ms: 100 + seq as i64,
            hash: vec![seq as u8; 32].into(),
            body: Some(Body { kind: text }),
            ..Entry::default()
        };
        self.stored.push(entry.clone());
        entry
    }

    fn ack(&mut self, entry: &Entry) {
        self.ledger.acknowledged(&Sent { id: entry.id.clone(), conversation: "c".into(), seq: entry.seq, ..Sent::default() });
    }

    fn hear(&mut self, entry: &Entry) -> Heard {
        self.ledger.heard(1, "b", entry, Source::Live)
    }

    fn finish(mut self) -> Counts {
        let entries = self.stored.clone();
        let head_seq = 2 + entries.len() as u64;
        for entry in &entries {
            self.ledger.heard(1, "b", entry, Source::Page);
        }
        self.ledger.read_back(&Page { conversation: "c".into(), entries, head_seq, from_seq: 3 });
        self.ledger.read_whole(0, head_seq);
        self.ledger.settle();
        self.ledger.counts
    }
}

fn only(counts: &Counts, class: &str, count: u64) {
    let found: Vec<_> = counts.violations().into_iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!(found, if count == 0 { vec![] } else { vec![(class, count)] });
}

#[test]
fn an_honest_server_is_clean_and_a_message_is_delivered_once() {
    let mut rig = Rig::new();
    let entry = rig.send();
    rig.ack(&entry);
    assert_eq!(rig.hear(&entry).delivered_from_micros, Some(1_000));
    let counts = rig.finish();
    only(&counts, "", 0);
    assert_eq!((counts.sent, counts.acked, counts.delivered), (1, 1, 1));
}

#[test]
fn acknowledged_and_absent_is_lost_but_unanswered_and_absent_is_not() {
    let mut rig = Rig::new();
    let (lost, unanswered) = (rig.send(), rig.send());
    rig.ack(&lost);
    rig.stored.clear();
    let _ = unanswered;
    let counts = rig.finish();
    only(&counts, "lost", 1);
    assert_eq!(counts.indeterminate, 1);
}

#[test]
fn an_unanswered_message_that_is_found_is_settled() {
    let mut rig = Rig::new();
    rig.send();
    let counts = rig.finish();
    only(&counts, "", 0);
    assert_eq!((counts.acked, counts.indeterminate), (0, 0));
}

#[test]
fn twice_live_is_a_duplicate_but_live_after_a_page_is_not() {
    let mut rig = Rig::new();
    let entry = rig.send();
    rig.ack(&entry);
    rig.ledger.heard(1, "b", &entry, Source::Page);
    rig.hear(&entry);
    only(&rig.ledger.counts.clone(), "", 0);
    rig.hear(&entry);
    only(&rig.finish(), "duplicated", 1);
}

#[test]
fn neighbours_swapped_are_a_reorder_and_a_hole_is_told() {
    let mut rig = Rig::new();
    let (first, second) = (rig.send(), rig.send());
    rig.ack(&first);
    rig.ack(&second);
    assert_eq!(rig.hear(&second).hole_from_seq, Some(3));
    assert_eq!(rig.hear(&first).hole_from_seq, None);
    only(&rig.finish(), "reordered", 1);
}

#[test]
fn a_changed_byte_is_corruption_once() {
    let mut rig = Rig::new();
    let entry = rig.send();
    rig.ack(&entry);
    if let Some(Body { kind: Some(body::Kind::Text(text)) }) = &mut rig.stored[0].body {
        text.text.replace_range(3..4, "!");
    }
    let flipped = rig.stored[0].clone();
    rig.hear(&flipped);
    only(&rig.finish(), "corrupted", 1);
}

#[test]
fn a_message_nobody_sent_and_one_that_was_refused_are_phantoms() {
    let mut rig = Rig::new();
    let refused = rig.send();
    assert!(rig.ledger.refused(&refused.id));
    let mut foreign = rig.send();
    rig.ack(&foreign);
    foreign.id = uuid::Builder::from_unix_timestamp_millis(1, &[9; 10]).into_uuid().to_string();
    foreign.seq += 1;
    foreign.hash = vec![77; 32].into();
    foreign.at_ms += 1;
    rig.stored.push(foreign);
    only(&rig.finish(), "phantom", 2);
}

#[test]
fn another_hash_at_the_same_place_is_a_fork_and_time_going_back_shows() {
    let mut rig = Rig::new();
    let (mut first, second) = (rig.send(), rig.send());
    rig.ack(&first);
    rig.ack(&second);
    rig.hear(&first);
    rig.hear(&second);
    first.hash = vec![200; 32].into();
    rig.ledger.heard(2, "x", &first, Source::Page);
    assert_eq!(rig.ledger.counts.forked, 1);
    let mut third = rig.send();
    rig.ack(&third);
    third.at_ms = 1;
    rig.stored[2].at_ms = 1;
    rig.hear(&third);
    assert_eq!(rig.ledger.counts.clock, 1);
}

#[test]
fn what_comes_after_access_ended_is_stale_and_a_hole_that_stays_is_a_gap() {
    let mut rig = Rig::new();
    let (first, second) = (rig.send(), rig.send());
    rig.ack(&first);
    rig.ack(&second);
    rig.hear(&first);
    rig.ledger.access_ended(1, 0, first.seq);
    rig.hear(&second);
    assert_eq!(rig.ledger.counts.stale_access, 1);
    rig.ledger.heard(2, "y", &second, Source::Live);
    rig.ledger.read_whole(0, second.seq);
    let stored = rig.stored.clone();
    rig.ledger.read_back(&Page { conversation: "c".into(), entries: stored, head_seq: second.seq, from_seq: 3 });
    rig.ledger.settle();
    assert_eq!(rig.ledger.counts.gaps, 1);
}

#[test]
fn the_entry_that_ends_a_membership_is_the_last_he_may_see() {
    use chat::wire::{Membership, membership};
    let mut rig = Rig::new();
    let mut leaving = rig.send();
    let left = Membership { user: "b".into(), change: membership::Change::Left.into(), ..Membership::default() };
    leaving.body = Some(Body { kind: Some(body::Kind::Membership(left)) });
    let later = rig.send();
    rig.hear(&leaving);
    rig.hear(&later);
    only(&rig.ledger.counts, "stale_access", 1);
    rig.ledger.heard(2, "a", &later, Source::Live);
    only(&rig.ledger.counts, "stale_access", 1);
}

#[test]
fn a_forked_place_is_told_once_however_often_it_is_read() {
    let mut rig = Rig::new();
    let entry = rig.send();
    rig.ack(&entry);
    rig.hear(&entry);
    rig.stored[0].hash = vec![99; 32].into();
    only(&rig.finish(), "forked", 1);
}
