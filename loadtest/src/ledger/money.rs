//! Checks the money of orders, in fen: what was asked, what was captured, what came back, and whether a final read agrees.
//!
//! An order counts once however much of it is wrong; why is kept beside it. A payment or refund without an answer may or may not have
//! happened, so only the final read speaks about it (L1, L5: it adds up, refunded ≤ paid).

use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub struct Money {
    orders: BTreeMap<String, Order>,
}

#[derive(Debug, Default)]
struct Order {
    asked_fen: i64,
    /// Payments the payer was told have succeeded, by payment.
    captured_fen: BTreeMap<String, i64>,
    /// A payment left and its answer stayed out.
    maybe_captured: bool,
    /// Refunds promised, in all.
    refund_due_fen: i64,
    maybe_refunded: bool,
    last: Option<FinalOrder>,
}

/// An order as the final read shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FinalOrder {
    pub amount_fen: i64,
    pub is_paid: bool,
    /// Refunds under way or done; refused ones are left out.
    pub refunds_fen: Vec<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub orders: u64,
    /// Orders whose money does not add up.
    pub wrong: u64,
    /// The first reason of each wrong order.
    pub why: BTreeMap<&'static str, u64>,
    /// Answers that stayed out and orders that could not be read.
    pub indeterminate: u64,
}

impl Money {
    /// The server made an order over this amount, which is what the person was shown.
    pub fn created(&mut self, order: &str, asked_fen: i64) {
        self.orders.entry(order.to_owned()).or_default().asked_fen = asked_fen;
    }

    /// The payer's side says that this payment succeeded. The same payment told twice is one payment.
    pub fn captured(&mut self, order: &str, payment: &str, fen: i64) {
        self.orders.entry(order.to_owned()).or_default().captured_fen.insert(payment.to_owned(), fen);
    }

    /// A payment left; nobody knows what became of it.
    pub fn capture_unknown(&mut self, order: &str) {
        self.orders.entry(order.to_owned()).or_default().maybe_captured = true;
    }

    /// The server promised so much back.
    pub fn refund_promised(&mut self, order: &str, fen: i64) {
        self.orders.entry(order.to_owned()).or_default().refund_due_fen += fen;
    }

    pub fn refund_unknown(&mut self, order: &str) {
        self.orders.entry(order.to_owned()).or_default().maybe_refunded = true;
    }

    pub fn read(&mut self, order: &str, last: FinalOrder) {
        self.orders.entry(order.to_owned()).or_default().last = Some(last);
    }

    pub fn orders(&self) -> impl Iterator<Item = &str> {
        self.orders.keys().map(String::as_str)
    }

    pub fn settle(&self) -> Found {
        let mut found = Found { orders: self.orders.len() as u64, ..Found::default() };
        for order in self.orders.values() {
            if let Some(reason) = order.wrong() {
                found.wrong += 1;
                *found.why.entry(reason).or_default() += 1;
            } else if order.last.is_none() {
                found.indeterminate += 1;
            }
        }
        found
    }
}

impl Order {
    fn wrong(&self) -> Option<&'static str> {
        let captured: i64 = self.captured_fen.values().sum();
        if self.captured_fen.len() > 1 {
            return Some("captured_twice");
        }
        if captured != 0 && captured != self.asked_fen {
            return Some("captured_another_amount");
        }
        let last = self.last.as_ref()?;
        let refunded: i64 = last.refunds_fen.iter().sum();
        let may_be_paid = captured > 0 || self.maybe_captured;
        if last.amount_fen != self.asked_fen {
            Some("amount_changed")
        } else if captured > 0 && !last.is_paid {
            Some("payment_missing")
        } else if last.is_paid && !may_be_paid {
            Some("paid_by_nobody")
        } else if refunded > if last.is_paid { last.amount_fen } else { 0 } || last.refunds_fen.iter().any(|fen| *fen <= 0) {
            Some("refunded_more_than_paid")
        } else if refunded < self.refund_due_fen {
            Some("refund_short")
        } else if refunded > self.refund_due_fen && !self.maybe_refunded {
            Some("refund_nobody_promised")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid_and_refunded() -> Money {
        let mut money = Money::default();
        money.created("o", 3700);
        money.captured("o", "p", 3700);
        money.captured("o", "p", 3700);
        money.refund_promised("o", 3700);
        money
    }

    fn read(fen: i64, is_paid: bool, refunds_fen: &[i64]) -> FinalOrder {
        FinalOrder { amount_fen: fen, is_paid, refunds_fen: refunds_fen.to_vec() }
    }

    fn reason(mut money: Money, last: FinalOrder) -> Option<&'static str> {
        money.read("o", last);
        let found = money.settle();
        assert_eq!(found.wrong, found.why.values().sum::<u64>());
        found.why.keys().next().copied()
    }

    #[test]
    fn money_that_adds_up_is_clean() {
        assert_eq!(reason(paid_and_refunded(), read(3700, true, &[3700])), None);
        assert_eq!(reason(paid_and_refunded(), read(3700, true, &[3000, 700])), None);
        let mut unpaid = Money::default();
        unpaid.created("o", 3700);
        assert_eq!(reason(unpaid, read(3700, false, &[])), None);
    }

    #[test]
    fn one_fen_is_seen_everywhere() {
        for (last, expected) in [
            (read(3701, true, &[3700]), "amount_changed"),
            (read(3700, true, &[3699]), "refund_short"),
            (read(3700, true, &[3701]), "refunded_more_than_paid"),
            (read(3700, true, &[3700, 1]), "refunded_more_than_paid"),
            (read(3700, false, &[]), "payment_missing"),
        ] {
            assert_eq!(reason(paid_and_refunded(), last.clone()), Some(expected), "{last:?}");
        }
        let mut another = Money::default();
        another.created("o", 3700);
        another.captured("o", "p", 3699);
        assert_eq!(another.settle().why.keys().next(), Some(&"captured_another_amount"));
    }

    #[test]
    fn an_order_is_captured_once() {
        let mut money = paid_and_refunded();
        money.captured("o", "another", 3700);
        assert_eq!(reason(money, read(3700, true, &[3700])), Some("captured_twice"));
    }

    #[test]
    fn money_out_of_nowhere_is_wrong() {
        let mut unpaid = Money::default();
        unpaid.created("o", 3700);
        assert_eq!(reason(unpaid, read(3700, true, &[])), Some("paid_by_nobody"));
        let mut kept = Money::default();
        kept.created("o", 3700);
        kept.captured("o", "p", 3700);
        assert_eq!(reason(kept, read(3700, true, &[3700])), Some("refund_nobody_promised"));
    }

    #[test]
    fn what_nobody_answered_is_decided_by_the_final_read() {
        for (is_paid, refunds) in [(true, &[3700][..]), (true, &[]), (false, &[])] {
            let mut money = Money::default();
            money.created("o", 3700);
            money.capture_unknown("o");
            money.refund_unknown("o");
            assert_eq!(money.settle().indeterminate, 1, "before the final read");
            assert_eq!(reason(money, read(3700, is_paid, refunds)), None);
        }
    }
}
