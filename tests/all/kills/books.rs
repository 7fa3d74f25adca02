//! The books of a server: ours in SQL, the payment channel's in its journal. Read as an auditor reads them, by their files.

use serde_json::Value;
use sqlx::{SqlitePool, sqlite::SqliteConnectOptions};
use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
    time::Duration,
};
use tests::process::Server;

/// Fen by the number under which both sides know the movement.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Books {
    pub captured: BTreeMap<String, i64>,
    pub refunded: BTreeMap<String, i64>,
}

impl Books {
    pub fn totals_fen(&self) -> (i64, i64) {
        (self.captured.values().sum(), self.refunded.values().sum())
    }

    /// What the channel says, in its own words: the newest line of a number wins.
    pub fn of_the_channel(data: &Path) -> Self {
        let mut books = Self::default();
        for line in lines(data) {
            let (order, refund) = (&line["order"], &line["refund"]);
            let fen = |object: &Value| object["amount"].as_i64().expect("an amount in fen");
            if order["paid_at_ms"].is_i64() {
                books.captured.insert(order["out_trade_no"].to_string(), fen(order));
            }
            if refund["status"] == "SUCCESS" {
                books.refunded.insert(refund["out_refund_no"].to_string(), fen(refund));
            }
        }
        books
    }

    /// Notices of the channel that we have not taken.
    fn untold(data: &Path) -> usize {
        let mut untold = HashSet::new();
        for line in lines(data) {
            if let Some(id) = line["notice"]["id"].as_str() {
                untold.insert(id.to_owned());
            } else if let Some(id) = line["taken"].as_str() {
                untold.remove(id);
            }
        }
        untold.len()
    }
}

/// The channel's journal.
fn lines(data: &Path) -> Vec<Value> {
    let journal = std::fs::read_to_string(data.join("wechat-pay-simulator.jsonl")).expect("the channel keeps a book");
    // The last line may be half there while the channel writes.
    journal.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Our business data, beside the running server or after it.
#[derive(Debug)]
pub struct Sql(SqlitePool);

impl Sql {
    pub async fn open(server: &Server) -> Self {
        let file = SqliteConnectOptions::new().filename(server.data().join("business.sqlite"));
        Self(SqlitePool::connect_with(file).await.expect("the file opens"))
    }

    async fn count(&self, text: &'static str) -> i64 {
        sqlx::query_scalar(text).fetch_one(&self.0).await.expect("a count")
    }

    /// Returns once no effect is outstanding: no message, nothing that waits for the channel's word, nothing it has to say.
    pub async fn at_rest(&self, data: &Path) {
        let mut every = tokio::time::interval(Duration::from_millis(50));
        let mut left = (0, 0, 0);
        let looking = async {
            loop {
                every.tick().await;
                let messages = self.count("SELECT COUNT(*) FROM outbox WHERE closed_at IS NULL").await;
                let timers = self.count("SELECT COUNT(*) FROM timers WHERE kind LIKE 'payments.%'").await;
                left = (messages, timers, Books::untold(data));
                if left == (0, 0, 0) {
                    return;
                }
            }
        };
        let rested = tokio::time::timeout(Duration::from_secs(40), looking).await;
        assert!(rested.is_ok(), "(messages, timers of money, notices) left: {left:?}");
    }

    /// Everything that would be a word too many, or one that never came.
    pub async fn nothing_twice_and_nothing_stuck(&self) {
        let faults = [
            ("dead letters", "SELECT COUNT(*) FROM outbox WHERE dead IS NOT NULL"),
            ("stuck between two states", "SELECT COUNT(*) FROM consultations WHERE state = 'ending'"),
            (
                "transitions taken twice",
                "SELECT COUNT(*) FROM (SELECT 1 FROM consultation_history GROUP BY consultation_id, event HAVING COUNT(*) > 1)",
            ),
            (
                "people told twice",
                "SELECT COUNT(*) FROM (SELECT 1 FROM notifications GROUP BY user_id, title, link_id HAVING COUNT(*) > 1)",
            ),
            ("postings made twice", "SELECT COUNT(*) FROM (SELECT 1 FROM ledger_transactions GROUP BY order_id, kind HAVING COUNT(*) > 1)"),
            (
                "consultations in progress without exactly one timer",
                "SELECT COUNT(*) FROM consultations c WHERE c.state = 'in_progress'
                   AND (SELECT COUNT(*) FROM timers t WHERE t.object = c.id) <> 1",
            ),
            ("notices without an effect", "SELECT COUNT(*) FROM payment_notices WHERE applied_at IS NULL"),
            (
                "orders whose money is not where it belongs",
                "SELECT COUNT(*) FROM orders o JOIN consultations c ON c.id = o.subject_id
                 WHERE COALESCE((SELECT SUM(p.amount_fen) FROM payments p WHERE p.order_id = o.id AND p.state = 'captured'), 0)
                     - COALESCE((SELECT SUM(r.amount_fen) FROM refunds r WHERE r.order_id = o.id AND r.state = 'success'), 0)
                    <> CASE WHEN c.state IN ('in_progress', 'ended', 'settled') THEN o.amount_fen ELSE 0 END",
            ),
        ];
        for (what, text) in faults {
            assert_eq!(self.count(text).await, 0, "{what}");
        }
    }

    pub async fn books(&self) -> Books {
        let captured = "SELECT out_trade_no, amount_fen FROM payments WHERE state = 'captured'";
        let refunded = "SELECT out_refund_no, amount_fen FROM refunds WHERE state = 'success'";
        Books { captured: self.movements(captured).await, refunded: self.movements(refunded).await }
    }

    async fn movements(&self, text: &'static str) -> BTreeMap<String, i64> {
        let rows: Vec<(String, i64)> = sqlx::query_as(text).fetch_all(&self.0).await.expect("rows");
        rows.into_iter().map(|(number, fen)| (Value::from(number).to_string(), fen)).collect()
    }
}
