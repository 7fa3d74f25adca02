//! The live calls of this node: routes commands to one task per call, restores calls from the log, sweeps them.
//!
//! Owns the registry and the lines. Holds no truth: a call that this node forgot is found in the log again, and a call that only
//! this node knows does not exist. One task per call handles its inputs in order, so a call never races with itself.

mod begin;
mod follow;
mod sweep;
mod task;
#[cfg(test)]
mod tests;

use crate::courier::{Address, Courier};
use crate::error::CallError;
use crate::gate::CallGate;
use crate::line::Lines;
use crate::rate::Bucket;
use crate::signal::CandidatePolicy;
use crate::turn::TurnConfig;
use chat::clock::Clock;
use chat::entropy::Entropy;
use chat::hub::{Caller, InboundCall};
use chat::ids::{CallId, ConversationId, UserId};
use chat::log::MessageLog;
use chat::wire::{self, call_command};
use dashmap::{DashMap, mapref::entry::Entry};
use std::sync::Arc;
use task::CallTask;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

pub struct Parts {
    pub log: Arc<MessageLog>,
    pub courier: Courier,
    pub clock: Clock,
    pub entropy: Entropy,
    /// None: no relay; calls connect where host candidates reach each other.
    pub turn: Option<TurnConfig>,
    pub limits: Limits,
    pub gate: Arc<dyn CallGate>,
    pub inbound: mpsc::Receiver<InboundCall>,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("turn", &self.turn).field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// Invites are limited per person, the rest per side of a call: a burst, then one more in each period.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub invites_burst: u32,
    pub invite_period_ms: u32,
    pub signals_burst: u32,
    pub signal_period_ms: u32,
    /// Reports, attaches, new credentials and everything else that is no signal.
    pub others_burst: u32,
    pub other_period_ms: u32,
    /// Commands that may wait for one call.
    pub inbox_max: usize,
    pub candidates: CandidatePolicy,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            invites_burst: 10,
            invite_period_ms: 6_000,
            signals_burst: 120,
            signal_period_ms: 33,
            others_burst: 20,
            other_period_ms: 200,
            inbox_max: 256,
            candidates: CandidatePolicy::default(),
        }
    }
}

pub struct CallService {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for CallService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallService").field("calls", &self.shared.calls.len()).finish_non_exhaustive()
    }
}

impl Drop for CallService {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}

impl CallService {
    /// Must be called inside a tokio runtime. Restores the live calls of the log before the first command is read.
    pub fn start(parts: Parts) -> Arc<Self> {
        let shared = Arc::new(Shared {
            log: parts.log,
            courier: parts.courier,
            clock: parts.clock,
            entropy: parts.entropy,
            turn: parts.turn,
            limits: parts.limits,
            gate: parts.gate,
            lines: Lines::default(),
            calls: DashMap::new(),
            invites: DashMap::new(),
            stop: CancellationToken::new(),
        });
        tokio::spawn(run(Arc::clone(&shared), parts.inbound));
        tokio::spawn(sweep::run(Arc::clone(&shared)));
        Arc::new(Self { shared })
    }

    /// Ends what is live in a conversation that was closed; returns when the end is recorded (or could not be, which the sweep repeats).
    pub async fn close_conversation_calls(&self, conversation: ConversationId) {
        let calls = self.shared.inboxes(|handle| handle.conversation == conversation);
        ask_each(calls, Order::Close).await;
    }

    /// Lets every call look at the clock now. Tasks do it by themselves when real time passes; this is for a clock that is moved.
    pub async fn tick(&self) {
        ask_each(self.shared.inboxes(|_| true), Order::Tick).await;
    }

    /// Finds calls of the log that this node does not know, and lets each known call follow the log. Runs every 10 s by itself.
    pub async fn sweep(&self) {
        sweep::once(&self.shared).await;
    }

    /// Calls this node holds, those that just ended included.
    pub fn known_calls(&self) -> usize {
        self.shared.calls.len()
    }
}

/// What all tasks share.
pub(crate) struct Shared {
    log: Arc<MessageLog>,
    courier: Courier,
    clock: Clock,
    entropy: Entropy,
    turn: Option<TurnConfig>,
    limits: Limits,
    gate: Arc<dyn CallGate>,
    lines: Lines,
    calls: DashMap<CallId, Handle>,
    invites: DashMap<UserId, Bucket>,
    stop: CancellationToken,
}

struct Handle {
    conversation: ConversationId,
    inbox: mpsc::Sender<Order>,
}

/// What a call's task is told. A `oneshot` is answered when it was done.
enum Order {
    Command(Caller, call_command::Kind),
    /// Tell this caller where the call stands.
    Look(Caller),
    Close(oneshot::Sender<()>),
    Tick(oneshot::Sender<()>),
    Sweep(oneshot::Sender<()>),
}

impl Shared {
    fn refuse(&self, caller: Caller, re: &str, conversation: &str, error: &CallError) {
        let code = error.code();
        metrics::counter!("wenzhen_call_commands_refused_total", "code" => code.as_str()).increment(1);
        let event = wire::Error {
            code: code.as_str().into(),
            message: code.message().into(),
            temporary: code.temporary(),
            retry_after_ms: error.retry_after_ms(),
            re: re.into(),
            conversation: conversation.into(),
        };
        self.courier.send(Address::Asker(caller), wire::Event { kind: Some(wire::event::Kind::Error(event)) });
    }

    fn inboxes(&self, of: impl Fn(&Handle) -> bool) -> Vec<mpsc::Sender<Order>> {
        self.calls.iter().filter(|handle| of(handle.value())).map(|handle| handle.inbox.clone()).collect()
    }

    /// Registers a call once; `None` when it is known already.
    fn register(&self, call: CallId, conversation: ConversationId) -> Option<mpsc::Receiver<Order>> {
        let Entry::Vacant(vacant) = self.calls.entry(call) else { return None };
        let (inbox, orders) = mpsc::channel(self.limits.inbox_max);
        vacant.insert(Handle { conversation, inbox });
        Some(orders)
    }

    fn take_invite(&self, user: UserId) -> Result<(), u32> {
        let now = self.clock.now();
        let full = || Bucket::full(self.limits.invite_period_ms, self.limits.invites_burst, now);
        self.invites.entry(user).or_insert_with(full).take(now)
    }

    fn inbox_of(&self, call: CallId) -> Option<mpsc::Sender<Order>> {
        self.calls.get(&call).map(|handle| handle.inbox.clone())
    }
}

async fn ask_each(inboxes: Vec<mpsc::Sender<Order>>, order: impl Fn(oneshot::Sender<()>) -> Order) {
    let mut answers = Vec::with_capacity(inboxes.len());
    for inbox in inboxes {
        let (done, answer) = oneshot::channel();
        if inbox.send(order(done)).await.is_ok() {
            answers.push(answer);
        }
    }
    for answer in answers {
        let _ = answer.await; // a task that ended meanwhile has nothing left to do
    }
}

async fn run(shared: Arc<Shared>, mut inbound: mpsc::Receiver<InboundCall>) {
    sweep::once(&shared).await;
    loop {
        let command = tokio::select! {
            () = shared.stop.cancelled() => return,
            command = inbound.recv() => command,
        };
        match command {
            Some(command) => route(&shared, command),
            None => return,
        }
    }
}

fn route(shared: &Arc<Shared>, InboundCall { from, command }: InboundCall) {
    let (Ok(call), Some(kind)) = (command.call.parse::<CallId>(), command.kind) else {
        return shared.refuse(from, &command.call, "", &CallError::InvalidField);
    };
    if let Some(inbox) = shared.inbox_of(call) {
        if inbox.try_send(Order::Command(from, kind)).is_err() {
            shared.refuse(from, &command.call, "", &CallError::RateLimited { retry_after_ms: 1_000 });
        }
        return;
    }
    let call_command::Kind::Invite(invite) = kind else {
        return shared.refuse(from, &command.call, "", &CallError::Unknown);
    };
    let Ok(conversation) = invite.conversation.parse::<ConversationId>() else {
        return shared.refuse(from, &command.call, "", &CallError::InvalidField);
    };
    if let Err(retry_after_ms) = shared.take_invite(from.user) {
        return shared.refuse(from, &command.call, &invite.conversation, &CallError::RateLimited { retry_after_ms });
    }
    let Some(orders) = shared.register(call, conversation) else { return };
    tokio::spawn(CallTask::invite(Arc::clone(shared), from, call, conversation, invite.media(), orders));
}
