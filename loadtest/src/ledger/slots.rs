//! Checks a rush on bookable places: nobody is promised a place that does not exist, nobody's place goes missing.
//!
//! It is told what was asked, what was answered and what a final read shows; it asks nobody itself. A request without an answer is
//! neither sold nor refused until the final read says which (B1, B3, B4: sold ≤ capacity, one definite answer, sold = min(demand, capacity)).

use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

/// A definite answer. Anything else (a timeout, a broken connection) is no answer and is not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Booked { booking: String },
    Full,
}

#[derive(Debug, Default)]
pub struct Slots {
    slots: BTreeMap<String, Slot>,
    requests: HashMap<Uuid, Request>,
}

#[derive(Debug, Default)]
struct Slot {
    capacity: u64,
    /// Of the final read: booking and the request it answers.
    listed: Option<Vec<(String, Uuid)>>,
}

#[derive(Debug)]
struct Request {
    slot: String,
    answer: Option<Answer>,
    /// Another answer to a repetition under the same id.
    contradicted_by: Option<Answer>,
}

/// Places, each counted under one class only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub sold: u64,
    /// Places promised beyond the capacity, or one person's request holding two.
    pub oversold: u64,
    /// Promised and gone, or refused while places were free.
    pub undersold: u64,
    /// Listed without anybody having asked for it.
    pub phantom: u64,
    /// No answer, and no final read to settle it.
    pub indeterminate: u64,
}

impl Slots {
    pub fn capacity(&mut self, slot: &str, places: u64) {
        self.slots.entry(slot.to_owned()).or_default().capacity = places;
    }

    /// A request leaves; a repetition under the same id changes nothing.
    pub fn asked(&mut self, request: Uuid, slot: &str) {
        self.requests.entry(request).or_insert_with(|| Request { slot: slot.to_owned(), answer: None, contradicted_by: None });
    }

    pub fn answered(&mut self, request: Uuid, answer: Answer) {
        let Some(request) = self.requests.get_mut(&request) else { return };
        match &request.answer {
            None => request.answer = Some(answer),
            Some(first) if *first == answer => {}
            Some(_) => request.contradicted_by = Some(answer),
        }
    }

    /// Everything a slot holds when all is quiet.
    pub fn listed(&mut self, slot: &str, bookings: Vec<(String, Uuid)>) {
        self.slots.entry(slot.to_owned()).or_default().listed = Some(bookings);
    }

    pub fn settle(&self) -> Found {
        let mut found = Found::default();
        for (name, slot) in &self.slots {
            let requests: Vec<(&Uuid, &Request)> = self.requests.iter().filter(|(_, request)| request.slot == *name).collect();
            slot.settle(&requests, &mut found);
        }
        found
    }
}

impl Slot {
    fn settle(&self, requests: &[(&Uuid, &Request)], found: &mut Found) {
        let listed: Option<HashSet<Uuid>> = self.listed.as_ref().map(|bookings| bookings.iter().map(|(_, request)| *request).collect());
        let (mut promised, mut refused, mut gone) = (0, 0, 0);
        for (id, request) in requests {
            let is_listed = listed.as_ref().map(|listed| listed.contains(id));
            match (&request.answer, is_listed) {
                (Some(Answer::Booked { .. }), Some(false)) => {
                    promised += 1;
                    gone += 1;
                }
                (Some(Answer::Booked { .. }), _) | (None, Some(true)) => promised += 1,
                // Refused and yet holding a place: the refusal was wrong. Counted below, with the contradictions.
                (Some(Answer::Full), _) => refused += 1,
                (None, Some(false)) => {}
                (None, None) => found.indeterminate += 1,
            }
            match (&request.answer, &request.contradicted_by, is_listed) {
                (Some(Answer::Booked { .. }), Some(Answer::Booked { .. }), _) => found.oversold += 1,
                // Gone from the list as well is the same place: counted once.
                (Some(Answer::Booked { .. }), Some(Answer::Full), Some(true) | None) => found.undersold += 1,
                (Some(Answer::Full), Some(Answer::Booked { .. }), _) | (Some(Answer::Full), None, Some(true)) => found.undersold += 1,
                _ => {}
            }
        }
        found.sold += promised;
        found.oversold += promised.max(self.listed_count()).saturating_sub(self.capacity);
        found.undersold += gone + refused.min(self.capacity.saturating_sub(promised));
        let asked: HashSet<Uuid> = requests.iter().map(|(id, _)| **id).collect();
        found.phantom += listed.map_or(0, |listed| listed.difference(&asked).count() as u64);
    }

    fn listed_count(&self) -> u64 {
        self.listed.as_ref().map_or(0, |bookings| bookings.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn booked(number: u128) -> Answer {
        Answer::Booked { booking: format!("b{number}") }
    }

    /// Five people on three places, honestly.
    fn rush() -> Slots {
        let mut slots = Slots::default();
        slots.capacity("9:00", 3);
        for number in 0..5 {
            slots.asked(id(number), "9:00");
            slots.answered(id(number), if number < 3 { booked(number) } else { Answer::Full });
        }
        slots.listed("9:00", (0..3).map(|number| (format!("b{number}"), id(number))).collect());
        slots
    }

    #[test]
    fn an_honest_rush_is_clean_also_when_it_is_asked_twice() {
        let mut slots = rush();
        for number in 0..5 {
            slots.asked(id(number), "9:00");
            slots.answered(id(number), if number < 3 { booked(number) } else { Answer::Full });
        }
        assert_eq!(slots.settle(), Found { sold: 3, ..Found::default() });
    }

    #[test]
    fn a_place_sold_twice_is_oversold_once() {
        let mut slots = rush();
        slots.asked(id(9), "9:00");
        slots.answered(id(9), booked(9));
        assert_eq!(slots.settle().oversold, 1, "told to the people");
        slots.listed("9:00", (0..4).map(|number| (format!("b{number}"), id([0, 1, 2, 9][number as usize]))).collect());
        assert_eq!(slots.settle(), Found { sold: 4, oversold: 1, ..Found::default() }, "and listed");
    }

    #[test]
    fn a_promised_place_that_is_gone_is_undersold() {
        let mut slots = rush();
        slots.listed("9:00", vec![("b0".into(), id(0)), ("b1".into(), id(1))]);
        assert_eq!(slots.settle(), Found { sold: 3, undersold: 1, ..Found::default() });
    }

    #[test]
    fn a_refusal_while_places_are_free_is_undersold() {
        let mut slots = Slots::default();
        slots.capacity("9:00", 3);
        for number in 0..4 {
            slots.asked(id(number), "9:00");
            slots.answered(id(number), if number < 2 { booked(number) } else { Answer::Full });
        }
        slots.listed("9:00", (0..2).map(|number| (format!("b{number}"), id(number))).collect());
        assert_eq!(slots.settle(), Found { sold: 2, undersold: 1, ..Found::default() }, "one of the two refusals was wrong");
    }

    #[test]
    fn free_places_that_nobody_wanted_are_nobodys_fault() {
        let mut slots = rush();
        slots.capacity("9:00", 3);
        slots.capacity("9:30", 10);
        slots.listed("9:30", Vec::new());
        assert_eq!(slots.settle(), Found { sold: 3, ..Found::default() });
    }

    #[test]
    fn a_repetition_gets_the_same_answer() {
        let mut slots = rush();
        slots.answered(id(0), booked(77));
        assert_eq!(slots.settle().oversold, 1, "two places for one request");
        let mut slots = rush();
        slots.answered(id(0), Answer::Full);
        assert_eq!(slots.settle().undersold, 1, "promised, then refused");
        slots.listed("9:00", (1..3).map(|number| (format!("b{number}"), id(number))).collect());
        assert_eq!(slots.settle().undersold, 1, "and gone: the same place");
    }

    #[test]
    fn the_final_read_settles_what_nobody_answered() {
        let mut slots = rush();
        slots.asked(id(9), "9:00");
        assert_eq!(slots.settle(), Found { sold: 3, ..Found::default() }, "not listed: it had no place");
        let mut unread = Slots::default();
        unread.capacity("9:00", 1);
        unread.asked(id(1), "9:00");
        assert_eq!(unread.settle().indeterminate, 1);
        unread.listed("9:00", vec![("b1".into(), id(1))]);
        assert_eq!(unread.settle(), Found { sold: 1, ..Found::default() });
        unread.listed("9:00", vec![("b2".into(), id(2))]);
        assert_eq!(unread.settle().phantom, 1, "somebody holds it who never asked");
    }
}
