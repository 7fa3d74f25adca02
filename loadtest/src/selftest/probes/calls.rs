//! Calls one after the other in each pair: ring, answer, hang up; every third is taken back while it rings.

use super::findings;
use crate::clock::Clock;
use crate::connect::{Socket, Target};
use crate::ledger::calls::{Calls, END_GRACE_MICROS};
use crate::people::{Person, Role};
use crate::run::RunError;
use crate::selftest::expect::Findings;
use chat::wire::{
    CallAccept, CallCancel, CallCommand, CallHangUp, CallInvite, CallMedia, CallRinging, Ping, call_command, call_event, command, event,
};
use std::time::Duration;

const CALLS_EACH: u64 = 8;
/// Of the four pairs among eight people.
pub const CALLS: u64 = 4 * CALLS_EACH;
const ANSWER: Duration = Duration::from_secs(5);

struct Pair<'a> {
    ledger: &'a mut Calls,
    clock: Clock,
    conversation: String,
    sides: [Socket; 2],
    failed: u64,
}

pub async fn calls(target: &Target, people: &[Person]) -> Result<Findings, RunError> {
    let (mut ledger, clock, mut failed) = (Calls::default(), Clock::start(), 0);
    let mut number = 0;
    for patient in people.iter().filter(|person| person.role == Role::Patient) {
        let doctor = people.iter().find(|other| other.role == Role::Doctor && other.conversation == patient.conversation);
        let doctor = doctor.ok_or_else(|| RunError::Usage("a patient without a doctor".into()))?;
        let mut sides = Vec::new();
        for (device, person) in [(1, patient), (2, doctor)] {
            let socket = Socket::open(target, &person.access_token(), uuid::Uuid::from_u128(device)).await;
            sides.push(socket.map_err(|error| RunError::Target(error.to_string()))?);
        }
        let Ok(sides) = <[Socket; 2]>::try_from(sides) else { continue };
        let mut pair = Pair { ledger: &mut ledger, clock, conversation: patient.conversation.clone(), sides, failed: 0 };
        for _ in 0..CALLS_EACH {
            number += 1;
            pair.one(uuid::Uuid::from_u128(number).to_string(), number % 3 == 0).await;
        }
        failed += pair.failed;
        for side in pair.sides {
            side.close().await;
        }
    }
    // Long after: whatever has not stopped ringing by now never will.
    let found = ledger.settle(clock.micros() + 60_000_000 + END_GRACE_MICROS);
    Ok(findings([("ghost_calls", found.violations()), ("failures", failed), ("not_rung", CALLS.saturating_sub(found.rings))]))
}

impl Pair<'_> {
    async fn one(&mut self, call: String, taken_back: bool) {
        self.ledger.invited(&call, &self.conversation);
        let invite = CallInvite { conversation: self.conversation.clone(), media: CallMedia::Voice.into() };
        self.say(0, &call, call_command::Kind::Invite(invite)).await;
        self.hear(0).await;
        self.hear(1).await;
        self.say(1, &call, call_command::Kind::Ringing(CallRinging {})).await;
        self.hear(1).await;
        if taken_back {
            self.say(0, &call, call_command::Kind::Cancel(CallCancel {})).await;
        } else {
            self.say(1, &call, call_command::Kind::Accept(CallAccept {})).await;
            self.hear(1).await;
            self.hear(0).await;
            self.say(0, &call, call_command::Kind::HangUp(CallHangUp {})).await;
        }
        self.hear(0).await;
        self.hear(1).await;
    }

    async fn say(&mut self, side: usize, call: &str, kind: call_command::Kind) {
        let command = CallCommand { call: call.to_owned(), kind: Some(kind) };
        self.failed += u64::from(self.sides[side].send(command::Kind::Call(command)).await.is_err());
    }

    /// Everything up to the answer of a ping goes to the ledger.
    async fn hear(&mut self, side: usize) {
        if self.sides[side].send(command::Kind::Ping(Ping { nonce: 1 })).await.is_err() {
            self.failed += 1;
        }
        loop {
            let heard = tokio::time::timeout(ANSWER, self.sides[side].next()).await;
            let now = self.clock.micros();
            match heard {
                Ok(Ok(event::Kind::Pong(_))) => return,
                Ok(Ok(event::Kind::Call(call))) => self.note(side, call, now),
                Ok(Ok(event::Kind::Error(_))) => self.failed += 1,
                Ok(Ok(_)) => {}
                _ => {
                    self.failed += 1;
                    return;
                }
            }
        }
    }

    fn note(&mut self, side: usize, told: chat::wire::CallEvent, now: u64) {
        match told.kind {
            Some(call_event::Kind::Incoming(incoming)) => {
                let left_ms = incoming.deadline_ms - i64::try_from(crate::clock::unix_ms()).unwrap_or(i64::MAX);
                let deadline = now + u64::try_from(left_ms).unwrap_or(0) * 1000;
                self.ledger.rings(&told.call, &told.conversation, now, deadline);
            }
            Some(call_event::Kind::Started(_)) => {
                self.ledger.started(&told.call, &told.conversation);
                self.ledger.stopped(&told.call, now);
            }
            Some(call_event::Kind::Elsewhere(_)) => self.ledger.stopped(&told.call, now),
            Some(call_event::Kind::Over(_)) => {
                if side == 1 {
                    self.ledger.stopped(&told.call, now);
                }
                self.ledger.over(&told.call, now);
            }
            _ => {}
        }
    }
}
