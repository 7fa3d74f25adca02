//! What waits to be written to one socket, within a byte budget. Owns the lag mode; never blocks and never waits.
//!
//! Entries may be dropped because the log has them: the socket then gets one `Heads` and pulls. Ephemerals may be dropped because
//! nobody misses them later. Replies may not be dropped; their number is bounded because a socket with a full mailbox is not read.

use super::outgoing::{Class, EntryMark, EphemeralKey, Outgoing};
use crate::errors::CloseCode;
use crate::ids::ConversationId;
use crate::limits::HubLimits;
use axum::extract::ws::Message;
use futures_util::task::AtomicWaker;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard};
use std::task::Context;

/// Cost of a queued item beside its payload, so that many small ones are bounded too.
const ITEM_BYTES: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CloseOrder {
    pub code: CloseCode,
    pub within_ms: u32,
}

/// What the socket's task writes next.
#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    Item(Outgoing),
    /// Entries were dropped: the newest of each conversation in which that happened.
    Lagged(Vec<EntryMark>),
    Ping,
    Close(CloseOrder),
    Nothing,
}

/// What became of a pushed item; the hub counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    Queued,
    Dropped,
    /// Dropped, and this one began the lag.
    LagBegan,
}

#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    state: Mutex<State>,
    waker: AtomicWaker,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Outgoing>,
    bytes: usize,
    urgent: usize,
    urgent_bytes: usize,
    lag: Option<BTreeMap<ConversationId, EntryMark>>,
    close: Option<CloseOrder>,
    ping: bool,
}

impl Mailbox {
    pub fn push(&self, item: Outgoing, limits: &HubLimits) -> Pushed {
        let mut state = self.lock();
        if state.close.is_some() {
            return Pushed::Dropped;
        }
        let pushed = match item.class {
            Class::Reply => state.enqueue(item),
            Class::Normal if state.bytes > 2 * limits.queue_bytes_max => Pushed::Dropped,
            Class::Normal => state.enqueue(item),
            Class::Entry { mark, urgent } => state.push_entry(item, mark, urgent, limits),
            Class::Ephemeral(key) => state.push_ephemeral(item, key, limits),
        };
        drop(state);
        self.waker.wake();
        pushed
    }

    /// The first order stands. `discard` forgets what waits: after a revocation not one more frame goes out.
    pub fn close(&self, order: CloseOrder, discard: bool) {
        let mut state = self.lock();
        if discard {
            state.queue = VecDeque::new();
            (state.bytes, state.urgent, state.urgent_bytes, state.lag) = (0, 0, 0, None);
        }
        state.close.get_or_insert(order);
        drop(state);
        self.waker.wake();
    }

    pub fn ping(&self) {
        self.lock().ping = true;
        self.waker.wake();
    }

    pub fn next(&self) -> Next {
        let mut state = self.lock();
        if std::mem::take(&mut state.ping) && state.close.is_none() {
            return Next::Ping;
        }
        if let Some(item) = state.dequeue() {
            return Next::Item(item);
        }
        if let Some(lag) = state.lag.take() {
            return Next::Lagged(lag.into_values().collect());
        }
        state.close.map_or(Next::Nothing, Next::Close)
    }

    /// The task is woken by the next push. Call before the last look at [`Self::next`].
    pub fn register(&self, context: &Context<'_>) {
        self.waker.register(context.waker());
    }

    pub fn close_order(&self) -> Option<CloseOrder> {
        self.lock().close
    }

    pub fn bytes(&self) -> usize {
        self.lock().bytes
    }

    pub fn is_lagging(&self) -> bool {
        self.lock().lag.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl State {
    fn enqueue(&mut self, item: Outgoing) -> Pushed {
        self.bytes += cost(&item.message);
        self.queue.push_back(item);
        Pushed::Queued
    }

    fn dequeue(&mut self) -> Option<Outgoing> {
        let item = self.queue.pop_front()?;
        self.bytes -= cost(&item.message);
        if self.urgent > 0 {
            self.urgent -= 1;
            self.urgent_bytes -= cost(&item.message);
        }
        if self.queue.is_empty() && self.queue.capacity() > 8 {
            self.queue = VecDeque::new();
        }
        Some(item)
    }

    fn push_entry(&mut self, item: Outgoing, mark: EntryMark, urgent: bool, limits: &HubLimits) -> Pushed {
        let bytes = cost(&item.message);
        if urgent && self.urgent_bytes + bytes <= limits.urgent_bytes_max {
            self.queue.insert(self.urgent, item);
            self.urgent += 1;
            self.urgent_bytes += bytes;
            self.bytes += bytes;
            return Pushed::Queued;
        }
        if let Some(lag) = &mut self.lag {
            note(lag, mark);
            return Pushed::Dropped;
        }
        if self.bytes + bytes > limits.queue_bytes_max {
            self.drop_waiting(|class| matches!(class, Class::Ephemeral(_)));
        }
        if self.bytes + bytes <= limits.queue_bytes_max {
            return self.enqueue(item);
        }
        self.begin_lag(mark);
        Pushed::LagBegan
    }

    fn begin_lag(&mut self, mark: EntryMark) {
        let mut lag = BTreeMap::new();
        for dropped in self.drop_waiting(|class| matches!(class, Class::Entry { .. })) {
            if let Class::Entry { mark, .. } = dropped.class {
                note(&mut lag, mark);
            }
        }
        note(&mut lag, mark);
        self.lag = Some(lag);
    }

    /// Urgent items at the front stay.
    fn drop_waiting(&mut self, which: impl Fn(&Class) -> bool) -> Vec<Outgoing> {
        let rest = self.queue.split_off(self.urgent);
        let (dropped, kept): (Vec<_>, Vec<_>) = rest.into_iter().partition(|item| which(&item.class));
        self.queue.extend(kept);
        self.bytes -= dropped.iter().map(|item| cost(&item.message)).sum::<usize>();
        dropped
    }

    fn push_ephemeral(&mut self, item: Outgoing, key: Option<EphemeralKey>, limits: &HubLimits) -> Pushed {
        let same = |waiting: &&mut Outgoing| key.is_some() && waiting.class == Class::Ephemeral(key);
        if let Some(waiting) = self.queue.iter_mut().find(same) {
            self.bytes = self.bytes - cost(&waiting.message) + cost(&item.message);
            *waiting = item;
            return Pushed::Queued;
        }
        if self.lag.is_some() || self.bytes + cost(&item.message) > limits.queue_bytes_max / 2 {
            return Pushed::Dropped;
        }
        self.enqueue(item)
    }
}

fn note(lag: &mut BTreeMap<ConversationId, EntryMark>, mark: EntryMark) {
    let newest = lag.entry(mark.conversation).or_insert(mark);
    if newest.seq < mark.seq {
        *newest = mark;
    }
}

fn cost(message: &Message) -> usize {
    ITEM_BYTES
        + match message {
            Message::Text(text) => text.len(),
            Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
            Message::Close(_) => 0,
        }
}

#[cfg(test)]
mod tests;
