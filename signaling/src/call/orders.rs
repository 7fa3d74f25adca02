//! The machine against every order of events: a model of the log grants or refuses proposals late and in any order, people press every
//! button, time jumps. Whatever happens, the call ends once and signals stay between the two seats.

use super::tests::{START, Scene, candidate};
use super::*;
use crate::timing::{CONNECT_TOTAL_MS, RECONNECT_MS, RING_MS};
use chat::wire::call_event::Kind;
use proptest::prelude::*;

/// The log's guards and nothing else of it.
#[derive(Debug, Default, PartialEq)]
enum Log {
    #[default]
    Nothing,
    Ringing,
    Accepted,
    Ended,
}

impl Log {
    fn grants(&mut self, fact: &Fact) -> bool {
        let of_ringing =
            |reason| matches!(reason, CallEndReason::Rejected | CallEndReason::Busy | CallEndReason::Cancelled | CallEndReason::NoAnswer);
        let next = match (&self, fact) {
            (Self::Nothing, Fact::Invited { .. }) => Self::Ringing,
            (Self::Ringing, Fact::Accepted { .. }) => Self::Accepted,
            (Self::Ringing, Fact::Ended(_)) => Self::Ended,
            (Self::Accepted, Fact::Ended(ended)) if !of_ringing(ended.reason) => Self::Ended,
            _ => return false,
        };
        *self = next;
        true
    }
}

struct Play {
    scene: Scene,
    log: Log,
    waiting: Vec<Proposal>,
    overs: usize,
    said: Option<Side>,
}

impl Play {
    fn take(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Propose(proposal) => self.waiting.push(proposal),
                Output::Tell(to, Kind::Signal(_)) => {
                    let from = self.said.expect("a signal is told only in answer to a signal");
                    assert_eq!(to, To::Seat(from.other()));
                }
                Output::Tell(_, Kind::Over(_)) => self.overs += 1,
                Output::Tell(..) | Output::Answer(..) => {}
            }
        }
    }

    /// The log answers one waiting proposal, not necessarily the oldest.
    fn answer(&mut self, which: usize) {
        if self.waiting.is_empty() {
            return;
        }
        let proposal = self.waiting.remove(which % self.waiting.len());
        let granted = self.log.grants(&proposal.fact);
        let input = if granted { Input::Recorded(proposal) } else { Input::Refused(proposal, CallError::NotRinging) };
        let out = self.scene.call.handle(self.scene.now, input);
        self.take(out);
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Pass(ms) => {
                self.scene.now = self.scene.now.plus_ms(*ms);
                let out = self.scene.call.handle(self.scene.now, Input::Tick);
                self.take(out);
            }
            Step::Log(which) => self.answer(*which),
            Step::Close => {
                let out = self.scene.call.handle(self.scene.now, Input::ConversationClosed);
                self.take(out);
            }
            Step::Sockets(any) => {
                let out = self.scene.call.handle(self.scene.now, Input::Sockets { any: *any });
                self.take(out);
            }
            Step::Wish(who, wish) => self.wish(*who, wish.clone()),
        }
    }

    fn wish(&mut self, who: usize, wish: Wish) {
        let from = [self.scene.inviter, self.scene.callee, self.scene.second][who % 3];
        let seated = self.scene.call.party(from.side).device == Some(from.device);
        let relays = matches!(wish, Wish::Signal(_)) && seated && self.scene.call.phase().is_answered();
        self.said = relays.then_some(from.side);
        let out = self.scene.wish(from, wish);
        self.take(out);
        self.said = None;
    }
}

#[derive(Clone, Debug)]
enum Step {
    Pass(i64),
    Log(usize),
    Close,
    Sockets(bool),
    Wish(usize, Wish),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let link = prop_oneof![Just(Link::Connected), Just(Link::Connected), Just(Link::Reconnecting), Just(Link::Failed)];
    let wish = prop_oneof![
        1 => Just(Wish::Ringing),
        3 => Just(Wish::Accept),
        1 => Just(Wish::Reject { busy: false }),
        1 => Just(Wish::Cancel),
        1 => Just(Wish::HangUp),
        1 => Just(Wish::Signal(candidate())),
        4 => (link, 0u32..200).prop_map(|(link, loss_permille)| Wish::Report(Report { link, loss_permille })),
        1 => Just(Wish::Ice),
        1 => any::<bool>().prop_map(|media_kept| Wish::Attach { media_kept }),
        1 => Just(Wish::ChangeMedia(CallMedia::Voice)),
    ];
    let step = prop_oneof![
        3 => (0i64..20_000).prop_map(Step::Pass),
        4 => (0usize..4).prop_map(Step::Log),
        1 => any::<bool>().prop_map(Step::Sockets),
        8 => (0usize..3, wish).prop_map(|(who, wish)| Step::Wish(who, wish)),
    ];
    prop::collection::vec(prop_oneof![30 => step, 1 => Just(Step::Close)], 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// K2: every ring ends. K3: signals stay between the seats. And the end is recorded once.
    #[test]
    fn k2_k3_whatever_happens_the_call_ends_once(steps in steps()) {
        let (scene, out) = Scene::inviting();
        let mut play = Play { scene, log: Log::Nothing, waiting: Vec::new(), overs: 0, said: None };
        play.take(out);
        for step in &steps {
            play.step(step);
        }
        let connected_ms = play.scene.now.since_ms(START);
        // Everybody leaves; the log answers in order again.
        play.step(&Step::Sockets(false));
        for _ in 0..10 {
            while !play.waiting.is_empty() {
                play.answer(0);
            }
            play.step(&Step::Pass(RING_MS.max(CONNECT_TOTAL_MS).max(RECONNECT_MS) + 1_000));
            play.step(&Step::Sockets(false));
        }
        prop_assert!(play.scene.call.phase().is_ended());
        prop_assert_eq!(play.log, Log::Ended);
        prop_assert_eq!(play.overs, 2, "each side hears it once");
        prop_assert!(connected_ms >= 0);
    }
}
