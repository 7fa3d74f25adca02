//! What one person may see of a conversation: pure functions of the head record, used for live delivery and for history alike.
//!
//! Inside his intervals he gets entries as they are; before and between them placeholders with seq and hash, so that dense stays
//! dense and the chain verifies; after he left, nothing: not even how long the conversation grew.

use crate::ids::{ConversationId, UserId};
use crate::log::head::Head;
use crate::wire;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub conversation: ConversationId,
    intervals: Vec<(u64, Option<u64>)>,
    head_seq: u64,
}

impl View {
    /// `None` for somebody who never was a member: to him the conversation does not exist.
    pub fn of(head: &Head, user: UserId) -> Option<Self> {
        let mine = head.members.iter().filter(|member| member.user == user);
        let intervals: Vec<_> = mine.map(|member| (member.visible_from, member.left_at)).collect();
        (!intervals.is_empty()).then_some(Self { conversation: head.conversation, intervals, head_seq: head.seq })
    }

    /// Still a member, not only somebody who was one.
    pub fn is_current(&self) -> bool {
        self.intervals.iter().any(|(_, left_at)| left_at.is_none())
    }

    pub fn sees(&self, seq: u64) -> bool {
        self.intervals.iter().any(|(from, left_at)| (*from..=left_at.unwrap_or(u64::MAX)).contains(&seq))
    }

    /// The newest seq he may know of; 0 = none.
    pub fn newest(&self) -> u64 {
        let newest = |left_at: &Option<u64>| left_at.unwrap_or(self.head_seq).min(self.head_seq);
        self.intervals.iter().map(|(_, left_at)| newest(left_at)).max().unwrap_or(0)
    }

    pub fn show(&self, entry: &wire::Entry) -> wire::Entry {
        if self.sees(entry.seq) { entry.clone() } else { placeholder(entry) }
    }
}

pub(crate) fn placeholder(entry: &wire::Entry) -> wire::Entry {
    wire::Entry {
        conversation: entry.conversation.clone(),
        seq: entry.seq,
        hash: entry.hash.clone(),
        withheld: wire::Withheld::Interval.into(),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Timestamp;
    use crate::log::head::{ConversationState, EntryHash, Member, RetentionClass};
    use crate::wire::SenderRole;
    use uuid::Uuid;

    fn head(intervals: &[(u64, Option<u64>)]) -> (Head, UserId) {
        let user = UserId(Uuid::from_u128(1));
        let member = |(visible_from, left_at): &(u64, Option<u64>)| Member {
            user,
            role: SenderRole::Doctor,
            visible_from: *visible_from,
            left_at: *left_at,
        };
        let head = Head {
            conversation: Uuid::from_u128(2).into(),
            tenant: Uuid::from_u128(3).into(),
            subject: Uuid::from_u128(4).into(),
            seq: 20,
            hash: EntryHash([0; 32]),
            last_at: Timestamp(0),
            members: intervals.iter().map(member).collect(),
            state: ConversationState::Open,
            call: None,
            retention: RetentionClass::Consultation,
        };
        (head, user)
    }

    #[test]
    fn a_stranger_has_no_view() {
        assert_eq!(View::of(&head(&[(1, None)]).0, UserId(Uuid::from_u128(9))), None);
    }

    #[test]
    fn one_who_left_and_came_back_sees_both_intervals_and_placeholders_between() {
        let (head, user) = head(&[(3, Some(5)), (10, None)]);
        let view = View::of(&head, user).unwrap();
        let seen: Vec<_> = (1..=12).filter(|seq| view.sees(*seq)).collect();
        assert_eq!(seen, [3, 4, 5, 10, 11, 12]);
        assert_eq!((view.newest(), view.is_current()), (20, true));
    }

    #[test]
    fn one_who_left_does_not_learn_how_it_went_on() {
        let (head, user) = head(&[(1, Some(7))]);
        let view = View::of(&head, user).unwrap();
        assert_eq!((view.newest(), view.is_current(), view.sees(8)), (7, false, false));
    }

    #[test]
    fn a_placeholder_says_nothing_but_its_place_and_hash() {
        let entry = wire::Entry {
            conversation: "c".into(),
            seq: 2,
            id: "canary".into(),
            sender: "canary".into(),
            at_ms: 77,
            hash: vec![1; 32].into(),
            body: Some(wire::Body::default()),
            urgent: true,
            sender_role: SenderRole::Patient.into(),
            withheld: 0,
        };
        let (head, user) = head(&[(3, None)]);
        let shown = View::of(&head, user).unwrap().show(&entry);
        let expected = wire::Entry { conversation: "c".into(), seq: 2, hash: vec![1; 32].into(), withheld: 1, ..Default::default() };
        assert_eq!(shown, expected);
    }
}
