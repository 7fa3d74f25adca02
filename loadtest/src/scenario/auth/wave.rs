//! The wave: one side of many conversations signs out at the same moment, while the other side speaks. Nothing that was said after the
//! sign-out was answered may reach the socket of that session.

use super::revoke;
use crate::clock::unix_ms;
use crate::ledger::Source;
use crate::measure::{Metric, Tick};
use crate::people::Role;
use crate::run::Part;
use crate::scenario::device::{Device, Heard, Line};
use crate::scenario::text::with_heads;
use chat::wire::{Body, Page, Pull, Send, Sent, Text, body, command, event};
use std::collections::BTreeMap;
use std::time::Duration;

const ANSWER: Duration = Duration::from_secs(20);
const PAGE_ENTRIES: u32 = 200;

#[derive(Debug)]
pub(super) struct Pair {
    conversation: u32,
    leaves: (u32, Line),
    stays: (u32, Line),
}

/// Both sides with their sockets; pairs of which one side has none are left out, which the accounts tell.
pub(super) async fn pairs(part: &Part, share: f64) -> Vec<Pair> {
    let mut sides: BTreeMap<u32, Vec<(u32, Line)>> = BTreeMap::new();
    for (person, socket, head) in with_heads(part, part.open_all().await).await {
        let conversation = part.ledger(|ledger| ledger.conversation(&part.person(person).conversation, head));
        sides.entry(conversation).or_default().push((person, Device::start(part, person, socket)));
    }
    let wanted = (sides.len() as f64 * share).round() as usize;
    let pair = |(conversation, mut sides): (u32, Vec<(u32, Line)>)| {
        sides.sort_by_key(|(person, _)| part.person(*person).role == Role::Doctor);
        let (stays, leaves) = (sides.pop()?, sides.pop()?);
        Some(Pair { conversation, leaves, stays })
    };
    sides.into_iter().filter_map(pair).take(wanted).collect()
}

pub(super) async fn sign_out(part: Part, mut pair: Pair, at_micros: u64) -> Pair {
    tokio::time::sleep_until(part.run.clock.at(at_micros)).await;
    let run = &part.run;
    let who = part.person(pair.leaves.0);
    // The socket is alive: it hears what is said before.
    let Some(before) = pair.say(&part).await else { return pair };
    let heard = tokio::time::timeout(ANSWER, pair.hear_until(&part, before.seq)).await;
    if heard != Ok(true) {
        run.fail("wave_not_heard");
        return pair;
    }
    let access = who.access_token();
    let left_micros = run.clock.micros();
    match run.http.post(run.target(who), "/api/auth/logout", Some(&access), None, &serde_json::json!({})).await {
        Ok(answer) if answer.status == 204 => {}
        Ok(answer) => run.fail(&format!("logout_{}", answer.class())),
        Err(class) => run.fail(&format!("logout_{class}")),
    }
    let closes_by = run.clock.at(run.clock.micros()) + revoke::CLOSES_WITHIN;
    if let Some(after) = pair.say(&part).await {
        run.ledger(|ledger| ledger.access_ended(pair.leaves.0, pair.conversation, after.seq - 1));
    }
    let ended = tokio::time::timeout_at(closes_by, pair.hear_end(&part)).await.unwrap_or(None);
    revoke::closed(&part, left_micros, ended);
    revoke::tokens_are_dead(&part, &access, None).await;
    pair
}

/// The side that stayed reads what was said from the store.
pub(super) async fn read_back(part: &Part, mut pair: Pair) {
    let mut from_seq = part.ledger(|ledger| ledger.began_at_seq(pair.conversation)) + 1;
    loop {
        let pull = Pull { conversation: part.person(pair.stays.0).conversation.clone(), from_seq, limit: PAGE_ENTRIES, ..Pull::default() };
        // A device that is gone says so at the next recv.
        let _ = pair.stays.1.to.send(command::Kind::Pull(pull));
        let Ok(Some(page)) = tokio::time::timeout(ANSWER, pair.page()).await else { return part.run.fail("read_back_unanswered") };
        part.ledger(|ledger| ledger.read_back(&page));
        from_seq = page.entries.last().map_or(page.head_seq, |entry| entry.seq) + 1;
        if from_seq > page.head_seq {
            return part.ledger(|ledger| ledger.read_whole(pair.conversation, page.head_seq));
        }
    }
}

impl Pair {
    /// A line of the side that stays, and its answer.
    async fn say(&mut self, part: &Part) -> Option<Sent> {
        let intended_micros = part.run.clock.micros();
        let (id, text) = part.ledger(|ledger| {
            let place = ledger.sending(self.conversation, 1, intended_micros);
            (ledger.id(place, unix_ms()).to_string(), ledger.text(place))
        });
        part.run.meters.tick(Tick::Sent, intended_micros);
        let conversation = part.person(self.stays.0).conversation.clone();
        let body = Some(Body { kind: Some(body::Kind::Text(Text { text, reply_to_seq: 0 })) });
        // A device that is gone says so at the next recv.
        let _ = self.stays.1.to.send(command::Kind::Send(Send { conversation, id: id.clone(), body }));
        let sent = tokio::time::timeout(ANSWER, self.answer(part, &id)).await.ok().flatten();
        if let Some(sent) = &sent {
            part.ledger(|ledger| ledger.acknowledged(sent));
            part.run.meters.record(Metric::Ack, intended_micros, part.run.clock.micros());
            part.run.meters.tick(Tick::Acked, part.run.clock.micros());
        }
        sent
    }

    async fn answer(&mut self, part: &Part, id: &str) -> Option<Sent> {
        loop {
            match self.stays.1.from.recv().await? {
                Heard::Event(event::Kind::Sent(sent)) if sent.id == id => return Some(sent),
                Heard::Event(event::Kind::Error(error)) if error.re == id => {
                    part.ledger(|ledger| ledger.refused(id));
                    part.run.fail(&error.code);
                    return None;
                }
                _ => {}
            }
        }
    }

    async fn hear_until(&mut self, part: &Part, seq: u64) -> bool {
        while let Some(heard) = self.leaves.1.from.recv().await {
            if self.hear(part, &heard).is_some_and(|heard| heard >= seq) {
                return true;
            }
        }
        false
    }

    /// The end of the revoked session's socket. What it hears before is judged by the ledger.
    async fn hear_end(&mut self, part: &Part) -> Option<(u64, crate::connect::Ended)> {
        while let Some(heard) = self.leaves.1.from.recv().await {
            self.hear(part, &heard);
            if let Heard::Ended { at_micros, ended } = heard {
                return Some((at_micros, ended));
            }
        }
        None
    }

    fn hear(&self, part: &Part, heard: &Heard) -> Option<u64> {
        let Heard::Event(event::Kind::Entry(entry)) = heard else { return None };
        let heard = part.ledger(|ledger| ledger.heard(self.leaves.0, &part.person(self.leaves.0).user, entry, Source::Live));
        if let Some(intended) = heard.delivered_from_micros {
            part.run.meters.record(Metric::Delivery, intended, part.run.clock.micros());
        }
        Some(entry.seq)
    }

    async fn page(&mut self) -> Option<Page> {
        loop {
            if let Heard::Event(event::Kind::Page(page)) = self.stays.1.from.recv().await? {
                return Some(page);
            }
        }
    }
}
