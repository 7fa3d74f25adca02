//! When the lie is told: places among the opportunities, drawn from the seed before the run, and an exact count of what was told.
//!
//! A place that comes while the lie cannot be told (its victim has no socket just then) is made up for at the next opportunity.

use crate::seed::Seeded;
use crate::selftest::lies::Lie;
use std::collections::BTreeSet;

/// What the server is to lie about.
#[derive(Clone, Copy, Debug)]
pub struct Planted {
    pub lie: Lie,
    pub times: u64,
    /// Opportunities that will certainly come.
    pub among: u64,
}

#[derive(Debug)]
pub struct Liar {
    lie: Option<Lie>,
    places: BTreeSet<u64>,
    passed: u64,
    due: u64,
    told: u64,
}

impl Liar {
    /// The places leave out the first tenth and the last third: there must be something before a lie, and after it.
    pub fn new(planted: Option<Planted>, seed: u64) -> Self {
        let mut liar = Self { lie: planted.map(|planted| planted.lie), places: BTreeSet::new(), passed: 0, due: 0, told: 0 };
        let Some(planted) = planted else { return liar };
        let mut dice = Seeded::new(seed, planted.lie.name());
        let (from, to) = (planted.among / 10, planted.among * 2 / 3);
        // Not next to each other: a lie about a neighbour would hide the other.
        let cells = (to - from) / planted.times.max(1);
        for time in 0..planted.times {
            let cell = usize::try_from(cells.saturating_sub(3).max(1)).unwrap_or(usize::MAX);
            liar.places.insert(from + time * cells + dice.below(cell) as u64);
        }
        liar
    }

    pub fn is(&self, lie: Lie) -> bool {
        self.lie == Some(lie)
    }

    /// An opportunity to tell `lie` comes by; true when it is to be told here and now.
    pub fn strikes(&mut self, lie: Lie, possible: bool) -> bool {
        if !self.is(lie) {
            return false;
        }
        self.due += u64::from(self.places.contains(&self.passed));
        self.passed += 1;
        let strikes = self.due > 0 && possible;
        if strikes {
            self.due -= 1;
            self.told += 1;
        }
        strikes
    }

    /// The same opportunity where the lie lasts: true once, at the first place. It is told from then on by [`Self::strikes_again`].
    pub fn begins(&mut self, lie: Lie) -> bool {
        let begins = self.is(lie) && self.places.contains(&self.passed);
        self.passed += 1;
        begins
    }

    /// A lie that has begun, until it was told as often as it was meant to be.
    pub fn strikes_again(&mut self, lie: Lie) -> bool {
        let strikes = self.is(lie) && self.told < self.places.len() as u64;
        self.told += u64::from(strikes);
        strikes
    }

    pub fn told(&self) -> u64 {
        self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strikes(seed: u64, times: u64, impossible: std::ops::Range<u64>) -> Vec<u64> {
        let mut liar = Liar::new(Some(Planted { lie: Lie::Drop, times, among: 300 }), seed);
        (0..300).filter(|place| liar.strikes(Lie::Drop, !impossible.contains(place))).collect()
    }

    #[test]
    fn a_lie_is_told_exactly_so_often_at_places_of_the_seed() {
        for (seed, times) in [(1, 1), (2, 3), (3, 20), (4, 50)] {
            let places = strikes(seed, times, 0..0);
            assert_eq!(places.len() as u64, times, "seed {seed}");
            assert_eq!(places, strikes(seed, times, 0..0));
            assert!(places.iter().all(|place| (30..200).contains(place)), "{places:?}");
        }
        assert_ne!(strikes(1, 3, 0..0), strikes(2, 3, 0..0));
    }

    #[test]
    fn what_cannot_be_told_at_its_place_is_told_later() {
        let places = strikes(1, 3, 0..200);
        assert_eq!(places.len(), 3);
        assert_eq!(places[0], 200);
    }

    #[test]
    fn an_honest_server_and_another_lie_tell_nothing() {
        let mut honest = Liar::new(None, 1);
        let mut other = Liar::new(Some(Planted { lie: Lie::Dup, times: 3, among: 30 }), 1);
        assert!((0..300).all(|_| !honest.strikes(Lie::Drop, true) && !other.strikes(Lie::Drop, true)));
    }
}
