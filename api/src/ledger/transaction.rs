//! Movements of money, built only by the constructors below: the debit is the sum of the credits, so a transaction that
//! does not sum to zero cannot be written down.
//!
//! The pair (kind, external id) is the identity of a posting: whatever the channel repeats is posted once (D.11-4).

use super::{Account, Channel, Fen};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The channel holds the patient's money.
    Capture,
    /// We promised it back.
    RefundDue,
    /// The channel gave it back.
    RefundPaid,
}

impl Kind {
    pub fn code(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::RefundDue => "refund_due",
            Self::RefundPaid => "refund_paid",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    pub account: Account,
    /// Debit positive, credit negative, never zero.
    pub amount_fen: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    kind: Kind,
    order: Uuid,
    external_id: String,
    lines: Vec<Line>,
}

impl Transaction {
    /// Dr clearing / Cr order liability, once per payment number (which has one transaction id at the channel).
    pub fn capture(order: Uuid, channel: Channel, out_trade_no: &str, amount: Fen) -> Self {
        Self::moved(Kind::Capture, order, out_trade_no, Account::Clearing(channel), &[(Account::OrderLiability(order), amount)])
    }

    /// Dr order liability / Cr refund payable, once per refund number.
    pub fn refund_due(order: Uuid, out_refund_no: &str, amount: Fen) -> Self {
        Self::moved(Kind::RefundDue, order, out_refund_no, Account::OrderLiability(order), &[(Account::RefundPayable(order), amount)])
    }

    /// Dr refund payable / Cr clearing, once per refund number.
    pub fn refund_paid(order: Uuid, channel: Channel, out_refund_no: &str, amount: Fen) -> Self {
        Self::moved(Kind::RefundPaid, order, out_refund_no, Account::RefundPayable(order), &[(Account::Clearing(channel), amount)])
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The order whose money this is.
    pub fn order(&self) -> Uuid {
        self.order
    }

    pub fn external_id(&self) -> &str {
        &self.external_id
    }

    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    fn moved(kind: Kind, order: Uuid, external_id: &str, debit: Account, credits: &[(Account, Fen)]) -> Self {
        let total = credits.iter().map(|(_, amount)| amount.get()).sum();
        let mut lines = vec![Line { account: debit, amount_fen: total }];
        lines.extend(credits.iter().map(|&(account, amount)| Line { account, amount_fen: -amount.get() }));
        Self { kind, order, external_id: external_id.to_owned(), lines }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// D.11-3: every transaction sums to zero, whatever is moved.
        #[test]
        fn every_transaction_sums_to_zero(fen in 1..=Fen::MAX, order in any::<u128>()) {
            let (amount, order) = (Fen::new(fen).unwrap(), Uuid::from_u128(order));
            for posted in [
                Transaction::capture(order, Channel::Wechat, "42", amount),
                Transaction::refund_due(order, "r", amount),
                Transaction::refund_paid(order, Channel::Wechat, "r", amount),
            ] {
                prop_assert_eq!(posted.lines().iter().map(|line| line.amount_fen).sum::<i64>(), 0);
                prop_assert!(posted.lines().iter().all(|line| line.amount_fen != 0));
            }
        }

        /// D.10: a payment that came in and went back leaves every account empty.
        #[test]
        fn a_full_refund_leaves_nothing(fen in 1..=Fen::MAX) {
            let (amount, order) = (Fen::new(fen).unwrap(), Uuid::from_u128(7));
            let mut balances = std::collections::HashMap::<(&str, Uuid), i64>::new();
            for posted in [
                Transaction::capture(order, Channel::Wechat, "42", amount),
                Transaction::refund_due(order, "r", amount),
                Transaction::refund_paid(order, Channel::Wechat, "r", amount),
            ] {
                for line in posted.lines() {
                    *balances.entry((line.account.code(), line.account.owner())).or_default() += line.amount_fen;
                }
            }
            prop_assert!(balances.values().all(|balance| *balance == 0));
        }
    }
}
