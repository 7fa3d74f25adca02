//! Long histories, written before the load begins: both sides of every conversation by turns, a few lines ahead of their answers.

use crate::clock::unix_ms;
use crate::connect::Socket;
use crate::ledger::Source;
use crate::people::Role;
use crate::run::Part;
use chat::wire::{Body, Send, Text, body, command, event};

/// Lines of one person that may be unanswered at once; fewer than a server lets one person send in a burst.
const AHEAD: u32 = 16;
/// Conversations that are filled at the same time.
const AT_ONCE: usize = 64;

pub(super) async fn fill(part: &Part, sockets: Vec<(u32, Socket, u64)>, messages: u32) -> Vec<(u32, Socket, u64)> {
    if messages == 0 {
        return sockets;
    }
    let places = std::sync::Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
    let members = sockets.len().div_ceil(2).max(1);
    let mut filling = tokio::task::JoinSet::new();
    for (person, socket, head) in sockets {
        let (part, places) = (part.clone(), places.clone());
        filling.spawn(async move {
            // The semaphore lives as long as its holders.
            let _place = places.acquire().await;
            let socket = one(&part, person, socket, head, messages / 2).await;
            (person, socket, head)
        });
    }
    let mut filled: Vec<_> =
        filling.join_all().await.into_iter().filter_map(|(person, socket, head)| Some((person, socket?, head))).collect();
    filled.sort_unstable_by_key(|(person, ..)| *person);
    part.run.meters.mark(format!("{members} conversations filled with {messages} lines"), part.run.clock.micros());
    filled
}

/// One person's lines. None when his socket was lost; what he did not hear, he pulls later.
async fn one(part: &Part, person: u32, mut socket: Socket, head: u64, lines: u32) -> Option<Socket> {
    let who = part.person(person);
    let number = part.ledger(|ledger| ledger.conversation(&who.conversation, head));
    let slot = if who.role == Role::Patient { 0 } else { 1 };
    let (mut left, mut unanswered) = (lines, 0);
    while left > 0 || unanswered > 0 {
        while left > 0 && unanswered < AHEAD {
            (left, unanswered) = (left - 1, unanswered + 1);
            let (id, text) = part.ledger(|ledger| {
                let place = ledger.sending(number, slot, part.run.clock.micros());
                (ledger.id(place, unix_ms()).to_string(), ledger.text(place))
            });
            let body = Some(Body { kind: Some(body::Kind::Text(Text { text, reply_to_seq: 0 })) });
            socket.send(command::Kind::Send(Send { conversation: who.conversation.clone(), id, body })).await.ok()?;
        }
        match socket.next().await {
            Ok(event::Kind::Sent(sent)) => {
                unanswered -= 1;
                part.ledger(|ledger| ledger.acknowledged(&sent));
            }
            Ok(event::Kind::Entry(entry)) => {
                part.ledger(|ledger| ledger.heard(person, &who.user, &entry, Source::Live));
            }
            Ok(event::Kind::Error(error)) => {
                // Refused for good or for now: a history one line shorter is long enough.
                unanswered = unanswered.saturating_sub(u32::from(!error.re.is_empty()));
                part.ledger(|ledger| ledger.refused(&error.re));
                part.run.fail(&error.code);
            }
            Ok(_) => {}
            Err(ended) => {
                part.run.fail(&ended.class());
                return None;
            }
        }
    }
    Some(socket)
}
