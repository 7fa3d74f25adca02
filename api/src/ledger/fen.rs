//! An amount of money that moves: at least 1 fen, at most ten million yuan.
//!
//! Zero, negative and absurd amounts have no value of this type, so that no later step has to look again.
//! Signed sums (balances) are plain `i64` and never leave the ledger.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Fen(i64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an amount is between 1 and {} fen", Fen::MAX)]
pub struct AmountOutOfRange;

impl Fen {
    pub const MAX: i64 = 1_000_000_000;

    pub fn new(fen: i64) -> Result<Self, AmountOutOfRange> {
        if (1..=Self::MAX).contains(&fen) { Ok(Self(fen)) } else { Err(AmountOutOfRange) }
    }

    pub fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for Fen {
    type Error = AmountOutOfRange;
    fn try_from(fen: i64) -> Result<Self, Self::Error> {
        Self::new(fen)
    }
}

impl From<Fen> for i64 {
    fn from(amount: Fen) -> Self {
        amount.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PAY-01: what is not an amount never becomes one.
    #[test]
    fn refuses_what_is_not_an_amount() {
        for bad in [0, -1, i64::MIN, Fen::MAX + 1, 1_000_000_000_000_000_000] {
            assert_eq!(Fen::new(bad), Err(AmountOutOfRange));
        }
        for text in ["0", "-1", "1e18", "1.0", "\"1.0\"", "\"1\"", "null", "true", "1000000000000000000", "99999999999999999999"] {
            assert!(serde_json::from_str::<Fen>(text).is_err(), "{text}");
        }
        assert_eq!(serde_json::from_str::<Fen>("1").map(Fen::get).ok(), Some(1));
    }
}
