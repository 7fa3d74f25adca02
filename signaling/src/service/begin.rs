//! The beginning of a call: who may ring whom, and the two attempts that never ring: a busy callee and a second call.

use super::{Order, Shared, task::CallTask};
use crate::call::{Call, Side};
use crate::courier::Address;
use crate::error::CallError;
use crate::gate::{CallRequest, Step};
use crate::line::Busy;
use crate::{record, timing};
use chat::hub::Caller;
use chat::ids::{CallId, ConversationId, Timestamp, UserId};
use chat::log::head::{ConversationState, Head, LiveCall, LiveCallPhase};
use chat::wire::{self, CallEndReason, CallMedia, SenderRole};
use std::sync::Arc;
use tokio::sync::mpsc;

/// After the deadline, so that the timeout can still be recorded before the line is anybody's.
pub(super) const LINE_SLACK_MS: i64 = 5_000;

impl CallTask {
    /// The whole life of a call that this person wishes to begin.
    pub(super) async fn invite(
        shared: Arc<Shared>,
        from: Caller,
        call: CallId,
        conversation: ConversationId,
        media: CallMedia,
        orders: mpsc::Receiver<Order>,
    ) {
        match begin(&shared, from, call, conversation, media).await {
            Ok((machine, outputs)) => {
                let mut task = Self::new(shared, machine, orders);
                task.asker = Some(from);
                task.carry_out(outputs.into()).await;
                task.live().await;
            }
            Err(error) => {
                shared.calls.remove(&call);
                shared.refuse(from, &call.to_string(), &conversation.to_string(), &error);
            }
        }
    }
}

async fn begin(
    shared: &Shared,
    from: Caller,
    call: CallId,
    conversation: ConversationId,
    media: CallMedia,
) -> Result<(Call, Vec<crate::call::Output>), CallError> {
    if media == CallMedia::Unspecified {
        return Err(CallError::InvalidField);
    }
    let now = shared.clock.now();
    let head = shared.log.head(conversation).await.map_err(|error| CallError::of_log(&error))?;
    let head = head.ok_or(CallError::UnknownConversation)?;
    let callee = counterpart(&head, from.user)?;
    if head.state != ConversationState::Open {
        return Err(CallError::NotOpen);
    }
    if let Some(live) = &head.call {
        settle_with(shared, from, call, now, &head, live).await?;
    }
    let request = CallRequest { step: Step::Invite, call, conversation, inviter: from.user, callee, media };
    shared.gate.permit(request).await.map_err(CallError::Gate)?;
    let (machine, outputs) = Call::invite(now, call, conversation, (from.user, from.device), callee, media);
    let until = now.plus_ms(timing::RING_MS + LINE_SLACK_MS);
    match shared.lines.begin(now, call, from.user, callee, until) {
        Ok(()) => Ok((machine, outputs)),
        Err(Busy::Inviter) => Err(CallError::LineBusy),
        Err(Busy::Callee) if is_calling_back(shared, &machine, now) => Err(CallError::InProgress),
        Err(Busy::Callee) => Err(tell_busy(shared, from, &machine, now).await),
    }
}

/// The other one of patient and doctor. Whoever is no member hears what he would hear of a conversation that never was.
fn counterpart(head: &Head, user: UserId) -> Result<UserId, CallError> {
    let present = || head.members.iter().filter(|member| member.left_at.is_none());
    let mine = present().find(|member| member.user == user).ok_or(CallError::UnknownConversation)?;
    let wanted = if mine.role == SenderRole::Patient { SenderRole::Doctor } else { SenderRole::Patient };
    let other = present().find(|member| member.role == wanted && member.user != user);
    other.map(|member| member.user).ok_or(CallError::NotOpen)
}

/// A call that stands there already: one that rang out is ended and gives way, any other one survives and is shown to the caller.
async fn settle_with(shared: &Shared, from: Caller, call: CallId, now: Timestamp, head: &Head, live: &LiveCall) -> Result<(), CallError> {
    if live.phase == LiveCallPhase::Ringing && live.deadline <= now && live.call != call {
        let stale = Call::restore(now, head.conversation, live);
        let record = record::of_end(&stale, CallEndReason::NoAnswer);
        let appended = shared.log.append(head.conversation, record.drafts, record.guards).await;
        return appended.map(|_| ()).map_err(|error| CallError::of_log(&error));
    }
    if let Some(inbox) = shared.inbox_of(live.call).filter(|_| live.call != call) {
        let _ = inbox.try_send(Order::Look(from)); // best effort: the refusal below says it, too
    }
    Err(CallError::InProgress)
}

/// Glare: the callee is inviting in this very conversation, and his call is about to ring here.
fn is_calling_back(shared: &Shared, machine: &Call, now: Timestamp) -> bool {
    let holder = shared.lines.holder(now, machine.party(Side::Callee).user);
    holder.and_then(|call| shared.calls.get(&call)).is_some_and(|handle| handle.conversation == machine.conversation)
}

async fn tell_busy(shared: &Shared, from: Caller, machine: &Call, now: Timestamp) -> CallError {
    let record = record::of_busy(machine, now.0);
    if let Err(error) = shared.log.append(machine.conversation, record.drafts, record.guards).await {
        return CallError::of_log(&error);
    }
    let over = wire::CallOver { reason: CallEndReason::Busy.into(), connected_ms: 0, by: machine.party(Side::Callee).user.to_string() };
    let event = wire::CallEvent {
        call: machine.id.to_string(),
        conversation: machine.conversation.to_string(),
        kind: Some(wire::call_event::Kind::Over(over)),
    };
    shared.courier.send(Address::AllDevices(from.user), wire::Event { kind: Some(wire::event::Kind::Call(event)) });
    CallError::CalleeBusy
}
