//! Conditions of an append, evaluated by the writer on the head that the entries will follow: never stale, never raced.

use super::head::{ConversationState, Head, LiveCallPhase};
use crate::ids::{CallId, UserId};
use crate::wire::SenderRole;

/// Evaluated in order; the first refusal wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Every sending person is a member who has not left, and the state is open; while it is waiting only the patient speaks.
    SenderMaySpeak,
    /// This person is a member who has not left.
    Member(UserId),
    StateIs(ConversationState),
    NotClosed,
    NoLiveCall,
    CallRinging(CallId),
    /// Ringing or accepted.
    CallLive(CallId),
    CallAccepted(CallId),
    SeqIs(u64),
}

/// Why a guard, or the log's own rule, said no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    NotAMember,
    NotOpen,
    Closed,
    WrongState,
    CallInProgress,
    CallNotRinging,
    CallNotLive,
    CallNotAccepted,
    StaleHead,
    /// The conversation holds as many entries as one may.
    Full,
    /// More membership intervals than one conversation may have.
    TooManyMembers,
    /// A recall later than two minutes after the message.
    TooOld,
    /// A recall of somebody else's entry, of a recall, or of an entry that is not there.
    NotRecallable,
}

impl Refusal {
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAMember => "not_a_member",
            Self::NotOpen => "conversation_not_open",
            Self::Closed => "conversation_closed",
            Self::WrongState => "wrong_state",
            Self::CallInProgress => "call_in_progress",
            Self::CallNotRinging => "call_not_ringing",
            Self::CallNotLive => "call_not_live",
            Self::CallNotAccepted => "call_not_accepted",
            Self::StaleHead => "stale_head",
            Self::Full => "conversation_full",
            Self::TooManyMembers => "too_many_members",
            Self::TooOld => "recall_too_old",
            Self::NotRecallable => "not_recallable",
        }
    }
}

impl Guard {
    /// `senders` are those of the drafts that are not in the log yet.
    pub fn check(&self, head: &Head, mut senders: impl Iterator<Item = Option<UserId>>) -> Result<(), Refusal> {
        let call = head.call.as_ref();
        match self {
            Self::SenderMaySpeak => senders.try_for_each(|sender| sender.map_or(Ok(()), |user| may_speak(head, user))),
            Self::Member(user) => member_role(head, *user).map(|_| ()).ok_or(Refusal::NotAMember),
            Self::StateIs(state) => holds(head.state == *state, Refusal::WrongState),
            Self::NotClosed => holds(head.state != ConversationState::Closed, Refusal::Closed),
            Self::NoLiveCall => holds(call.is_none(), Refusal::CallInProgress),
            Self::CallRinging(id) => {
                holds(call.is_some_and(|live| live.call == *id && live.phase == LiveCallPhase::Ringing), Refusal::CallNotRinging)
            }
            Self::CallLive(id) => holds(call.is_some_and(|live| live.call == *id), Refusal::CallNotLive),
            Self::CallAccepted(id) => {
                holds(call.is_some_and(|live| live.call == *id && live.phase == LiveCallPhase::Accepted), Refusal::CallNotAccepted)
            }
            Self::SeqIs(seq) => holds(head.seq == *seq, Refusal::StaleHead),
        }
    }
}

fn holds(condition: bool, refusal: Refusal) -> Result<(), Refusal> {
    if condition { Ok(()) } else { Err(refusal) }
}

fn may_speak(head: &Head, user: UserId) -> Result<(), Refusal> {
    let role = member_role(head, user).ok_or(Refusal::NotAMember)?;
    match head.state {
        ConversationState::Open => Ok(()),
        ConversationState::Waiting => holds(role == SenderRole::Patient, Refusal::NotOpen),
        ConversationState::Closed => Err(Refusal::Closed),
    }
}

/// Role of a member who has not left.
pub(super) fn member_role(head: &Head, user: UserId) -> Option<SenderRole> {
    head.members.iter().rev().find(|member| member.user == user && member.left_at.is_none()).map(|member| member.role)
}
