//! The payment (支付) as a state machine, DOMAIN D.5: INIT → PREPAID → CAPTURED | CLOSED | UNKNOWN.
//!
//! What the channel says arrives late, twice and in any order. So a fact never moves a payment backwards: captured beats
//! closed beats everything else, and the same set of facts in any order ends in the same state. That a closed payment may
//! still become captured is the surprise here: the patient paid while we were closing, and gets his money back.

use super::Trouble;
use chat::ids::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payment {
    /// Its number exists; the channel may not have heard of it.
    Init,
    Prepaid,
    /// A request was sent and no answer came: only a query knows.
    Unknown,
    Closed,
    Captured {
        transaction_id: String,
        at: Timestamp,
    },
}

/// What the channel told us, by answer, query or notice; verified before it gets here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    Prepaid,
    NoAnswer,
    /// The query says nobody paid yet.
    NotPaid,
    Closed,
    Captured {
        transaction_id: String,
        at: Timestamp,
    },
}

impl Payment {
    /// The state after this fact. Refuses only a contradiction: a second transaction id for one payment number.
    pub fn learn(self, fact: Fact) -> Result<Self, Trouble> {
        match (self, fact) {
            (Self::Captured { transaction_id, at }, Fact::Captured { transaction_id: other, .. }) => {
                if transaction_id == other {
                    Ok(Self::Captured { transaction_id, at })
                } else {
                    Err(Trouble::TransactionIdChanged)
                }
            }
            (captured @ Self::Captured { .. }, _) => Ok(captured),
            (_, Fact::Captured { transaction_id, at }) => Ok(Self::Captured { transaction_id, at }),
            (Self::Closed, _) | (_, Fact::Closed) => Ok(Self::Closed),
            (Self::Init, Fact::NotPaid) => Ok(Self::Init),
            (Self::Init | Self::Prepaid | Self::Unknown, Fact::Prepaid) | (Self::Prepaid | Self::Unknown, Fact::NotPaid) => {
                Ok(Self::Prepaid)
            }
            (Self::Init | Self::Prepaid | Self::Unknown, Fact::NoAnswer) => Ok(Self::Unknown),
        }
    }

    pub fn code(&self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Prepaid => "prepaid",
            Self::Unknown => "unknown",
            Self::Closed => "closed",
            Self::Captured { .. } => "captured",
        }
    }

    /// Whether money may still arrive in the ordinary way.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Init | Self::Prepaid | Self::Unknown)
    }
}

/// How long after the `attempt`-th query the next one is due (D.5): 15 s, 30 s, 1, 3, 10, 30 min, then hourly.
pub fn query_delay_ms(attempt: i64) -> i64 {
    const STEPS_S: [i64; 7] = [15, 30, 60, 180, 600, 1_800, 3_600];
    let step = usize::try_from(attempt).unwrap_or(0).min(STEPS_S.len() - 1);
    STEPS_S[step] * 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured() -> Fact {
        Fact::Captured { transaction_id: "4200".into(), at: Timestamp(5) }
    }

    /// D.11-13: every (state, fact) pair has an answer, and money that arrived never disappears.
    #[test]
    fn every_pair_is_handled() {
        let states = [
            Payment::Init,
            Payment::Prepaid,
            Payment::Unknown,
            Payment::Closed,
            Payment::Captured { transaction_id: "4200".into(), at: Timestamp(5) },
        ];
        let facts = [Fact::Prepaid, Fact::NoAnswer, Fact::NotPaid, Fact::Closed, captured()];
        for state in &states {
            for fact in &facts {
                let after = state.clone().learn(fact.clone()).unwrap();
                if matches!(state, Payment::Captured { .. }) || *fact == captured() {
                    assert_eq!(after.code(), "captured");
                } else if *state == Payment::Closed || *fact == Fact::Closed {
                    assert_eq!(after, Payment::Closed);
                } else {
                    assert!(after.is_live());
                }
            }
        }
    }

    /// F26, L3: all orders of a payment's facts, each also repeated, end in one state.
    #[test]
    fn every_permutation_ends_in_one_state() {
        let facts = [Fact::Prepaid, Fact::NoAnswer, Fact::NotPaid, Fact::Closed, captured()];
        for order in permutations(facts.len()) {
            let mut state = Payment::Init;
            for at in order {
                state = state.learn(facts[at].clone()).unwrap().learn(facts[at].clone()).unwrap();
            }
            assert_eq!(state, Payment::Captured { transaction_id: "4200".into(), at: Timestamp(5) });
        }
    }

    /// D.11-4: one payment number cannot be two transactions at the channel.
    #[test]
    fn a_second_transaction_id_is_refused() {
        let paid = Payment::Prepaid.learn(captured()).unwrap();
        let other = Fact::Captured { transaction_id: "4201".into(), at: Timestamp(6) };
        assert_eq!(paid.learn(other), Err(Trouble::TransactionIdChanged));
    }

    /// D.5: the query back-off.
    #[test]
    fn queries_back_off() {
        let minutes: Vec<i64> = (0..9).map(|attempt| query_delay_ms(attempt) / 1_000).collect();
        assert_eq!(minutes, [15, 30, 60, 180, 600, 1_800, 3_600, 3_600, 3_600]);
    }

    fn permutations(len: usize) -> Vec<Vec<usize>> {
        if len == 0 {
            return vec![vec![]];
        }
        permutations(len - 1)
            .into_iter()
            .flat_map(|shorter| (0..len).map(move |at| [&shorter[..at], &[len - 1], &shorter[at..]].concat()))
            .collect()
    }
}
