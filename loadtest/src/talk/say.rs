//! Lines: made from their place in the ledger, kept until they are answered.

use super::{Talker, UnderWay};
use crate::clock::unix_ms;
use crate::measure::Tick;
use chat::wire::{Body, MarkRead, Send, SetTyping, Text, body, command};

impl Talker {
    pub(super) async fn say(&mut self, intended_micros: u64) {
        let (id, text) = self.run.ledger(|ledger| {
            let place = ledger.sending(self.conversation, self.slot, intended_micros);
            (ledger.id(place, unix_ms()).to_string(), ledger.text(place))
        });
        let conversation = self.run.people[self.person as usize].conversation.clone();
        let body = Some(Body { kind: Some(body::Kind::Text(Text { text, reply_to_seq: 0 })) });
        let record = command::Kind::Send(Send { conversation: conversation.clone(), id: id.clone(), body });
        let now = self.run.clock.micros();
        // Without a socket, or while the server takes nothing, a line waits for the server.
        self.run.meters.lag(intended_micros.max(self.idle_since_micros), now);
        self.run.meters.tick(Tick::Sent, now);
        self.under_way.push_back(UnderWay { id, departed_micros: now, record: record.clone() });
        if self.habits.typing {
            self.send(command::Kind::Typing(SetTyping { conversation: conversation.clone(), active: true })).await;
        }
        self.send(record).await;
        if self.habits.marks && self.unmarked {
            self.unmarked = false;
            let up_to_seq = self.run.ledger(|ledger| ledger.whole_to(self.person, self.conversation));
            self.send(command::Kind::Read(MarkRead { conversation, up_to_seq })).await;
        }
    }

    pub(super) async fn attach(&mut self, id: String, body: body::Kind) {
        let conversation = self.run.people[self.person as usize].conversation.clone();
        let record = command::Kind::Send(Send { conversation, id: id.clone(), body: Some(Body { kind: Some(body) }) });
        let now = self.run.clock.micros();
        self.run.meters.tick(Tick::Sent, now);
        self.under_way.push_back(UnderWay { id, departed_micros: now, record: record.clone() });
        self.send(record).await;
    }

    /// In a closed loop, the next line now.
    pub(super) async fn say_next(&mut self) {
        let now = self.run.clock.micros();
        if self.habits.closed_until_micros.is_some_and(|end| now < end) {
            self.say(now).await;
        }
    }
}
