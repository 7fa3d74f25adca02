//! What happens in one call, drawn from the seed and the call's nonce.

use super::Options;
use crate::seed::Seeded;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    ByTheBook,
    Glare,
    Reject,
    Cancel,
    NoAnswer,
    NetworkSwitch,
}

impl Turn {
    /// How the report counts those that end otherwise on purpose.
    pub(super) fn word(self) -> Option<&'static str> {
        match self {
            Self::ByTheBook => None,
            Self::Glare => Some("call_glare"),
            Self::Reject => Some("call_rejected"),
            Self::Cancel => Some("call_cancelled"),
            Self::NoAnswer => Some("call_unanswered"),
            Self::NetworkSwitch => Some("call_network_switch"),
        }
    }
}

/// Sides are 0 and 1.
#[derive(Debug)]
pub(super) struct Course {
    pub turn: Turn,
    pub caller: usize,
    pub hangs_up: usize,
    pub switches: usize,
    /// For ids and what is signalled.
    pub dice: Seeded,
}

impl Course {
    pub(super) fn draw(seed: u64, nonce: u64, options: &Options) -> Self {
        let mut dice = Seeded::new(seed, &format!("call {nonce}"));
        let turn = turn(dice.unit(), options);
        let [caller, hangs_up, switches] = [(); 3].map(|()| dice.below(2));
        Self { turn, caller, hangs_up, switches, dice }
    }
}

fn turn(drawn: f64, options: &Options) -> Turn {
    let turns = [Turn::Glare, Turn::Reject, Turn::Cancel, Turn::NoAnswer, Turn::NetworkSwitch];
    let mut up_to = 0.0;
    for (turn, share) in turns.into_iter().zip(options.shares()) {
        up_to += share;
        if drawn < up_to {
            return turn;
        }
    }
    Turn::ByTheBook
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_by_their_shares_and_the_same_nonce_draws_the_same() {
        let options = Options { no_answer: 0.1, ..Options::default() };
        let drawn: Vec<_> = (0..20_000).map(|nonce| Course::draw(7, nonce, &options)).collect();
        let share = |turn| drawn.iter().filter(|course| course.turn == turn).count() as f64 / 20_000.0;
        for (turn, wanted) in [(Turn::Glare, 0.05), (Turn::Reject, 0.03), (Turn::NoAnswer, 0.1), (Turn::ByTheBook, 0.78)] {
            assert!((share(turn) - wanted).abs() < 0.01, "{turn:?}: {}", share(turn));
        }
        let (mut one, mut again) = (Course::draw(7, 3, &options), Course::draw(7, 3, &options));
        assert_eq!((one.turn, one.caller, one.hangs_up), (again.turn, again.caller, again.hangs_up));
        assert_eq!(one.dice.next_u64(), again.dice.next_u64());
    }
}
