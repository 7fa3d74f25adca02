//! Pages: over a second socket of the person, and over HTTP.

use super::{Wish, judge};
use crate::connect::Http;
use crate::measure::Metric;
use crate::run::Part;
use crate::scenario::device::{Heard, Line};
use chat::wire::{Entry, Page, Pull, command, event};
use serde_json::Value;
use std::collections::VecDeque;
use tokio::sync::mpsc;

/// Asks as soon as it is told to; the answers come in the order of the questions.
#[derive(Debug)]
pub(super) struct Reader {
    wishes: mpsc::UnboundedSender<Wish>,
}

impl Reader {
    pub fn start(part: &Part, person: u32, line: Line) -> Self {
        let (wishes, asked) = mpsc::unbounded_channel();
        tokio::spawn(read(part.clone(), person, line, asked));
        Self { wishes }
    }

    pub fn ask(&self, wish: Wish) {
        // A reader whose socket is gone for good has said so in the accounts.
        let _ = self.wishes.send(wish);
    }
}

async fn read(part: Part, person: u32, mut line: Line, mut asked: mpsc::UnboundedReceiver<Wish>) {
    let conversation = part.person(person).conversation.clone();
    let number = part.ledger(|ledger| ledger.number(&conversation));
    let mut under_way: VecDeque<Wish> = VecDeque::new();
    let pull = |wish: Wish| {
        let known = number.and_then(|number| part.ledger(|ledger| ledger.hash_prefix(number, wish.from_seq.saturating_sub(1))));
        let hash_prefix = known.unwrap_or_default().into();
        command::Kind::Pull(Pull { conversation: conversation.clone(), from_seq: wish.from_seq, limit: wish.limit, hash_prefix })
    };
    loop {
        tokio::select! {
            wish = asked.recv() => match wish {
                Some(wish) => {
                    under_way.push_back(wish);
                    if line.to.send(pull(wish)).is_err() {
                        return;
                    }
                }
                None if under_way.is_empty() => return,
                None => asked.close(),
            },
            heard = line.from.recv() => match heard {
                Some(Heard::Event(event::Kind::Page(page))) => came(&part, &conversation, &mut under_way, &page),
                Some(Heard::Event(event::Kind::HistoryChanged(_))) => {
                    under_way.pop_front();
                    part.ledger(crate::ledger::Ledger::history_changed);
                }
                Some(Heard::Event(event::Kind::Error(error))) => {
                    under_way.pop_front();
                    part.run.fail(&error.code);
                }
                Some(Heard::Event(_)) => {}
                Some(Heard::Reopened) => for wish in &under_way {
                    // A device that is gone says so at the next recv.
                    let _ = line.to.send(pull(*wish));
                },
                Some(Heard::Ended { ended, .. }) => return part.run.fail(&format!("reader_{}", ended.class())),
                None => return,
            },
        }
        if asked.is_closed() && asked.is_empty() && under_way.is_empty() {
            return;
        }
    }
}

fn came(part: &Part, conversation: &str, under_way: &mut VecDeque<Wish>, page: &Page) {
    match under_way.pop_front() {
        Some(wish) if wish.from_seq == page.from_seq && page.conversation == conversation => {
            judge(part, Metric::HistoryPage, wish, conversation, &page.entries, page.head_seq);
        }
        Some(_) => part.run.fail("page_of_another_question"),
        None => part.run.fail("page_nobody_asked_for"),
    }
}

pub(super) async fn over_http(part: Part, person: u32, wish: Wish) {
    let who = part.person(person);
    let path = format!("/api/conversations/{}/entries?from_seq={}&limit={}", who.conversation, wish.from_seq, wish.limit);
    let request = part.run.http.request(reqwest::Method::GET, part.run.target(who), &path, Some(&who.access_token()));
    match Http::answer(request).await {
        Ok(answer) if answer.is_success() => match entries(&answer.body) {
            Some((entries, head_seq)) => judge(&part, Metric::HistoryHttp, wish, &who.conversation, &entries, head_seq),
            None => part.run.fail("page_unreadable"),
        },
        Ok(answer) => part.run.fail(&answer.class()),
        Err(class) => part.run.fail(&class),
    }
}

/// Entries in the canonical JSON of the schema, beside a plain number.
fn entries(body: &Value) -> Option<(Vec<Entry>, u64)> {
    let entries = body.get("entries")?.as_array()?.iter().map(|entry| serde_json::from_value(entry.clone()).ok());
    Some((entries.collect::<Option<_>>()?, body.get("head_seq")?.as_u64()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_over_http_are_the_entries_of_the_socket() {
        let page = serde_json::json!({"head_seq": 12, "entries": [{
            "conversation": "0190a5c8-7c1e-7b3a-9f0e-2f4b8d1c6a55", "seq": "12", "id": "0190a5c8-8000-7000-8000-000000000001",
            "atMs": "1800000000120", "hash": "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=", "body": {"text": {"text": "头疼"}},
        }]});
        let (entries, head_seq) = entries(&page).expect("well formed");
        assert_eq!((entries[0].seq, entries[0].hash.len(), head_seq), (12, 32, 12));
        assert!(super::entries(&serde_json::json!({"head_seq": 1, "entries": [{"seq": -1}]})).is_none());
    }
}
