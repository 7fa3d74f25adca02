//! What an entry does to the head: who is a member, who may speak, which call is live. Pure, and the only place that knows.

use super::chain;
use super::head::{ConversationState, Head, LiveCall, LiveCallPhase, Member};
use super::types::NewConversation;
use crate::ids::{CallId, Timestamp, UserId};
use crate::wire::{self, body::Kind, consultation_change::State, membership::Change};
use std::str::FromStr;

/// A body that cannot be applied: an id that is no id, an enum value that is none.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("malformed body: {0}")]
pub struct MalformedBody(pub &'static str);

impl Head {
    /// Before its first entry.
    pub fn beginning(new: &NewConversation, now: Timestamp) -> Self {
        Self {
            conversation: new.id,
            tenant: new.tenant,
            subject: new.subject,
            seq: 0,
            hash: chain::beginning(new.id),
            last_at: now,
            members: new.members.clone(),
            state: new.state,
            call: None,
            retention: new.retention,
        }
    }

    /// Effects of entry `seq`, sent by `sender`. Seq, hash and time are the writer's to set.
    pub fn apply(&mut self, sender: Option<UserId>, body: &wire::Body, seq: u64) -> Result<(), MalformedBody> {
        match &body.kind {
            Some(Kind::Membership(change)) => self.apply_membership(change, seq),
            Some(Kind::Consultation(change)) => {
                self.state = match change.state() {
                    State::Waiting => ConversationState::Waiting,
                    State::Open => ConversationState::Open,
                    State::Closed => ConversationState::Closed,
                    State::Unspecified => return Err(MalformedBody("consultation.state")),
                };
                Ok(())
            }
            Some(Kind::CallInvited(invited)) => {
                self.call = Some(LiveCall {
                    call: id::<CallId>(&invited.call, "call_invited.call")?,
                    inviter: sender.ok_or(MalformedBody("call_invited without a sender"))?,
                    callee: id(&invited.callee, "call_invited.callee")?,
                    media: invited.media(),
                    phase: LiveCallPhase::Ringing,
                    deadline: Timestamp(invited.deadline_ms),
                    invited_seq: seq,
                });
                Ok(())
            }
            Some(Kind::CallAccepted(accepted)) => {
                let call = id::<CallId>(&accepted.call, "call_accepted.call")?;
                if let Some(live) = self.call.as_mut().filter(|live| live.call == call) {
                    live.phase = LiveCallPhase::Accepted;
                }
                Ok(())
            }
            Some(Kind::CallEnded(ended)) => {
                let call = id::<CallId>(&ended.call, "call_ended.call")?;
                self.call.take_if(|live| live.call == call);
                Ok(())
            }
            Some(_) => Ok(()),
            None => Err(MalformedBody("no kind")),
        }
    }

    /// Joining twice changes the role; coming back after leaving opens a second interval.
    fn apply_membership(&mut self, change: &wire::Membership, seq: u64) -> Result<(), MalformedBody> {
        let user = id::<UserId>(&change.user, "membership.user")?;
        let present = self.members.iter_mut().rev().find(|member| member.user == user && member.left_at.is_none());
        match (change.change(), present) {
            (Change::Joined, Some(member)) => member.role = change.role(),
            (Change::Joined, None) => {
                // A forgotten `visible_from` shows as little as possible, not everything.
                let visible_from = if change.visible_from == 0 { seq } else { change.visible_from };
                self.members.push(Member { user, role: change.role(), visible_from, left_at: None });
            }
            (Change::Left, Some(member)) => member.left_at = Some(seq),
            (Change::Left, None) => {}
            (Change::Unspecified, _) => return Err(MalformedBody("membership.change")),
        }
        Ok(())
    }
}

fn id<T: FromStr>(text: &str, field: &'static str) -> Result<T, MalformedBody> {
    T::from_str(text).map_err(|_| MalformedBody(field))
}
