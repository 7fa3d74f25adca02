//! The proof that no money is missing (D.11-3, 4, 6), for `wenzhen verify` and the hourly checker.
//!
//! Reads only; needs no key and no running process. Every finding names the row to look at.

use crate::{
    db::{Db, DbError},
    row, sql,
};
use std::fmt;
use uuid::Uuid;

/// What was looked at, and everything that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerReport {
    pub transactions: i64,
    pub captured_fen: i64,
    pub refunded_fen: i64,
    pub findings: Vec<Finding>,
}

impl LedgerReport {
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The whole ledger does not sum to zero.
    NotZero { sum_fen: i64 },
    /// A transaction has fewer than two lines or does not sum to zero.
    Unbalanced { transaction: Uuid },
    /// A line belongs to no transaction.
    Orphan { transaction: Uuid },
    /// A running balance is not the sum of its lines, or below its floor.
    Balance { account: String, owner: Uuid },
    /// Captured ≠ refunded + owed + settled for an order.
    Order { order: Uuid },
    /// A payment is captured for another amount than the books say.
    Payment { payment: Uuid },
    /// A refund and its postings disagree.
    Refund { refund: Uuid },
    /// More is promised back than was captured.
    RefundedTooMuch { payment: Uuid },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotZero { sum_fen } => write!(f, "the ledger sums to {sum_fen} fen instead of zero"),
            Self::Unbalanced { transaction } => write!(f, "ledger transaction {transaction} does not sum to zero"),
            Self::Orphan { transaction } => write!(f, "a ledger line names transaction {transaction}, which does not exist"),
            Self::Balance { account, owner } => write!(f, "the balance of {account} of {owner} is not the sum of its lines"),
            Self::Order { order } => write!(f, "order {order}: captured is not refunded + owed + settled"),
            Self::Payment { payment } => write!(f, "payment {payment} and its capture in the ledger disagree"),
            Self::Refund { refund } => write!(f, "refund {refund} and its postings disagree"),
            Self::RefundedTooMuch { payment } => write!(f, "payment {payment}: more refunds than money"),
        }
    }
}

row! {
    struct Id { id: Uuid }
    struct AccountOwner { account: String, owner: Uuid }
    struct OrderSums { order_id: Uuid, captured_fen: i64, promised_fen: i64, returned_fen: i64, owed_fen: i64, payable_fen: i64, settled_fen: i64 }
}

pub async fn verify(db: &Db) -> Result<LedgerReport, DbError> {
    let mut findings = Vec::new();
    let sum_fen: i64 =
        db.scalar(sql!("SELECT CAST(COALESCE(SUM(amount_fen), 0) AS BIGINT) FROM ledger_lines")).await?.ok_or(DbError::Missing)?;
    if sum_fen != 0 {
        findings.push(Finding::NotZero { sum_fen });
    }
    findings.extend(transactions(db).await?);
    findings.extend(balances(db).await?);
    findings.extend(payments(db).await?);
    findings.extend(refunds(db).await?);
    let orders = order_sums(db).await?;
    findings.extend(orders.iter().filter(|sums| !sums.agree()).map(|sums| Finding::Order { order: sums.order_id }));
    Ok(LedgerReport {
        transactions: db.scalar(sql!("SELECT COUNT(*) FROM ledger_transactions")).await?.ok_or(DbError::Missing)?,
        captured_fen: orders.iter().map(|sums| sums.captured_fen).sum(),
        refunded_fen: orders.iter().map(|sums| sums.returned_fen).sum(),
        findings,
    })
}

impl OrderSums {
    /// D.11-4: what came in is what went back, what is promised, what we still owe and what was settled.
    fn agree(&self) -> bool {
        self.captured_fen == self.returned_fen + self.payable_fen + self.owed_fen + self.settled_fen
            && self.promised_fen == self.returned_fen + self.payable_fen
            && self.owed_fen >= 0
            && self.payable_fen >= 0
    }
}

async fn transactions(db: &Db) -> Result<Vec<Finding>, DbError> {
    let unbalanced: Vec<Id> = db
        .all(sql!(
            "SELECT t.id AS id FROM ledger_transactions t LEFT JOIN ledger_lines l ON l.transaction_id = t.id
             GROUP BY t.id HAVING COUNT(l.line) < 2 OR SUM(l.amount_fen) <> 0 ORDER BY t.id"
        ))
        .await?;
    let orphans: Vec<Id> = db
        .all(sql!(
            "SELECT DISTINCT l.transaction_id AS id FROM ledger_lines l
             WHERE NOT EXISTS (SELECT 1 FROM ledger_transactions t WHERE t.id = l.transaction_id) ORDER BY l.transaction_id"
        ))
        .await?;
    let unbalanced = unbalanced.into_iter().map(|row| Finding::Unbalanced { transaction: row.id });
    Ok(unbalanced.chain(orphans.into_iter().map(|row| Finding::Orphan { transaction: row.id })).collect())
}

async fn balances(db: &Db) -> Result<Vec<Finding>, DbError> {
    let wrong: Vec<AccountOwner> = db
        .all(sql!(
            "SELECT b.account AS account, b.owner AS owner FROM ledger_balances b
             WHERE b.balance_fen > 0 OR b.balance_fen <>
                   (SELECT COALESCE(SUM(l.amount_fen), 0) FROM ledger_lines l WHERE l.account = b.account AND l.owner = b.owner)
             UNION
             SELECT l.account AS account, l.owner AS owner FROM ledger_lines l
             WHERE l.owner <> $1 AND NOT EXISTS (SELECT 1 FROM ledger_balances b WHERE b.account = l.account AND b.owner = l.owner)",
            Uuid::nil()
        ))
        .await?;
    Ok(wrong.into_iter().map(|row| Finding::Balance { account: row.account, owner: row.owner }).collect())
}

async fn payments(db: &Db) -> Result<Vec<Finding>, DbError> {
    let disagree: Vec<Id> = db
        .all(sql!(
            "SELECT p.id AS id FROM payments p
             WHERE (CASE WHEN p.state = 'captured' THEN p.amount_fen ELSE 0 END) <>
                   (SELECT COALESCE(SUM(l.amount_fen), 0) FROM ledger_transactions t
                    JOIN ledger_lines l ON l.transaction_id = t.id AND l.amount_fen > 0
                    WHERE t.kind = 'capture' AND t.external_id = p.out_trade_no)
             ORDER BY p.id"
        ))
        .await?;
    let too_much: Vec<Id> = db
        .all(sql!(
            "SELECT p.id AS id FROM payments p
             WHERE p.refund_reserved_fen > p.amount_fen OR p.refund_reserved_fen <>
                   (SELECT COALESCE(SUM(r.amount_fen), 0) FROM refunds r WHERE r.payment_id = p.id AND r.state NOT IN ('requested', 'denied'))
             ORDER BY p.id"
        ))
        .await?;
    let disagree = disagree.into_iter().map(|row| Finding::Payment { payment: row.id });
    Ok(disagree.chain(too_much.into_iter().map(|row| Finding::RefundedTooMuch { payment: row.id })).collect())
}

async fn refunds(db: &Db) -> Result<Vec<Finding>, DbError> {
    let disagree: Vec<Id> = db
        .all(sql!(
            "SELECT r.id AS id FROM refunds r
             WHERE (CASE WHEN r.state IN ('requested', 'denied') THEN 0 ELSE r.amount_fen END) <>
                   (SELECT COALESCE(SUM(l.amount_fen), 0) FROM ledger_transactions t
                    JOIN ledger_lines l ON l.transaction_id = t.id AND l.amount_fen > 0
                    WHERE t.kind = 'refund_due' AND t.external_id = r.out_refund_no)
                OR (CASE WHEN r.state = 'success' THEN r.amount_fen ELSE 0 END) <>
                   (SELECT COALESCE(SUM(l.amount_fen), 0) FROM ledger_transactions t
                    JOIN ledger_lines l ON l.transaction_id = t.id AND l.amount_fen > 0
                    WHERE t.kind = 'refund_paid' AND t.external_id = r.out_refund_no)
             ORDER BY r.id"
        ))
        .await?;
    Ok(disagree.into_iter().map(|row| Finding::Refund { refund: row.id }).collect())
}

/// Balances are read from the lines, the flows from the kinds of their transactions: two views that must agree.
async fn order_sums(db: &Db) -> Result<Vec<OrderSums>, DbError> {
    db.all(sql!(
        "SELECT t.order_id AS order_id,
                CAST(SUM(CASE WHEN t.kind = 'capture' AND l.amount_fen > 0 THEN l.amount_fen ELSE 0 END) AS BIGINT) AS captured_fen,
                CAST(SUM(CASE WHEN t.kind = 'refund_due' AND l.amount_fen > 0 THEN l.amount_fen ELSE 0 END) AS BIGINT) AS promised_fen,
                CAST(SUM(CASE WHEN t.kind = 'refund_paid' AND l.amount_fen > 0 THEN l.amount_fen ELSE 0 END) AS BIGINT) AS returned_fen,
                CAST(SUM(CASE WHEN l.account = 'order_liability' AND l.owner = t.order_id THEN -l.amount_fen ELSE 0 END) AS BIGINT) AS owed_fen,
                CAST(SUM(CASE WHEN l.account = 'refund_payable' AND l.owner = t.order_id THEN -l.amount_fen ELSE 0 END) AS BIGINT) AS payable_fen,
                CAST(SUM(CASE WHEN t.kind NOT IN ('capture', 'refund_due', 'refund_paid') AND l.account = 'order_liability'
                              THEN l.amount_fen ELSE 0 END) AS BIGINT) AS settled_fen
         FROM ledger_transactions t JOIN ledger_lines l ON l.transaction_id = t.id
         GROUP BY t.order_id ORDER BY t.order_id"
    ))
    .await
}
