//! Between the machine and the log: proposals are appended under their guards, and what the log says is fed back as facts.
//!
//! A refused proposal means that somebody was faster, perhaps on another node: the task reads the entries it has not seen and lets the
//! machine follow them.

use super::begin::LINE_SLACK_MS;
use super::task::CallTask;
use crate::call::{Ended, Fact, Input, Phase, Proposal, Side};
use crate::error::CallError;
use crate::gate::{CallRequest, Step};
use crate::record;
use chat::ids::UserId;
use chat::log::LogError;
use chat::log::head::ConversationState;
use chat::wire::{self, body::Kind};

/// Entries read at a time while following.
const PAGE: usize = 200;
/// A line of an answered call is held this long and renewed at each sweep.
const LINE_HELD_MS: i64 = 60_000;

impl CallTask {
    /// What the log, the gate and the callee's line answered, in the machine's words.
    pub(super) async fn propose(&mut self, proposal: Proposal) -> Vec<Input> {
        if let Fact::Accepted { .. } = proposal.fact()
            && let Err(error) = self.may_accept().await
        {
            return vec![Input::Refused(proposal, error)];
        }
        let record = record::of_fact(&self.call, proposal.fact());
        match self.shared.log.append(self.call.conversation, record.drafts, record.guards).await {
            // The id of a call of long ago: that one is over.
            Ok(outcome) if matches!(proposal.fact(), Fact::Invited { .. }) && outcome.entries.iter().any(|entry| entry.repeated) => {
                vec![Input::Refused(proposal, CallError::Over)]
            }
            Ok(outcome) => {
                self.followed_seq = self.followed_seq.max(outcome.entries.last().map_or(0, |entry| entry.seq));
                vec![Input::Recorded(proposal)]
            }
            Err(error) => self.refused(proposal, &error).await,
        }
    }

    async fn may_accept(&self) -> Result<(), CallError> {
        let (inviter, callee) = (self.call.party(Side::Inviter).user, self.call.party(Side::Callee).user);
        let request = CallRequest {
            step: Step::Accept,
            call: self.call.id,
            conversation: self.call.conversation,
            inviter,
            callee,
            media: self.call.media(),
        };
        self.shared.gate.permit(request).await.map_err(CallError::Gate)?;
        let now = self.shared.clock.now();
        let taken = self.shared.lines.take(now, callee, self.call.id, now.plus_ms(LINE_HELD_MS));
        if taken { Ok(()) } else { Err(CallError::LineBusy) }
    }

    async fn refused(&mut self, proposal: Proposal, error: &LogError) -> Vec<Input> {
        if !matches!(error, LogError::Refused(_) | LogError::IdConflict | LogError::UnknownConversation) {
            tracing::warn!(call = %self.call.id, code = error.code(), "call.append_failed");
        }
        let accepting = matches!(proposal.fact(), Fact::Accepted { .. });
        let mut inputs = self.unseen_facts().await;
        inputs.push(Input::Refused(proposal, CallError::of_log(error)));
        if accepting && !inputs.iter().any(|input| matches!(input, Input::Recorded(Proposal { fact: Fact::Accepted { .. }, .. }))) {
            self.shared.lines.release(self.call.party(Side::Callee).user, self.call.id);
        }
        inputs
    }

    /// Lets the machine follow what others wrote.
    pub(super) async fn follow(&mut self) {
        for fact in self.unseen_facts().await {
            self.input(fact).await;
        }
    }

    pub(super) async fn sweep(&mut self) {
        if self.call.phase().is_ended() {
            return;
        }
        self.follow().await;
        match self.shared.log.head(self.call.conversation).await {
            Ok(Some(head)) if head.state == ConversationState::Closed => self.input(Input::ConversationClosed).await,
            Ok(_) => {}
            Err(error) => tracing::warn!(call = %self.call.id, code = error.code(), "call.sweep_failed"),
        }
        let any = Side::BOTH.iter().any(|side| self.shared.courier.is_online(self.call.party(*side).user));
        self.input(Input::Sockets { any }).await;
        self.input(Input::Tick).await;
        self.hold_lines();
    }

    /// Renews the lines of a live call; a line that somebody else holds by now stays his.
    pub(super) fn hold_lines(&self) {
        let now = self.shared.clock.now();
        let hold = |side, until| {
            self.shared.lines.take(now, self.call.party(side).user, self.call.id, until);
        };
        match self.call.phase() {
            Phase::Inviting { deadline, .. } | Phase::Ringing { deadline } => hold(Side::Inviter, deadline.plus_ms(LINE_SLACK_MS)),
            phase if phase.is_answered() => Side::BOTH.into_iter().for_each(|side| hold(side, now.plus_ms(LINE_HELD_MS))),
            _ => {}
        }
    }

    async fn unseen_facts(&mut self) -> Vec<Input> {
        let mut inputs = Vec::new();
        loop {
            let page = match self.shared.log.read(self.call.conversation, self.followed_seq + 1, PAGE).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::warn!(call = %self.call.id, code = error.code(), "call.follow_failed");
                    return inputs;
                }
            };
            inputs
                .extend(page.iter().filter_map(|entry| self.fact_of(entry)).map(|fact| Input::Recorded(Proposal { fact, asked_by: None })));
            self.followed_seq = page.last().map_or(self.followed_seq, |entry| entry.seq);
            if page.len() < PAGE {
                return inputs;
            }
        }
    }

    fn fact_of(&self, entry: &wire::Entry) -> Option<Fact> {
        let id = self.call.id.to_string();
        match entry.body.as_ref()?.kind.as_ref()? {
            Kind::CallAccepted(accepted) if accepted.call == id => Some(Fact::Accepted { device: accepted.device.parse().ok()? }),
            Kind::CallEnded(ended) if ended.call == id => {
                let by = ended.by.parse::<UserId>().ok().and_then(|user| self.call.side_of(user));
                Some(Fact::Ended(Ended {
                    reason: ended.reason(),
                    connected_ms: ended.connected_ms,
                    gaps: ended.gaps,
                    by,
                    media: ended.media(),
                }))
            }
            _ => None,
        }
    }
}
