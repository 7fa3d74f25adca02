//! Waiting for an order to move, and the final read of all of them.

use super::Till;
use crate::ledger::money::FinalOrder;
use crate::scenario::device::Heard;
use chat::wire::event;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};

/// The server's hint may be lost; then the client looks by itself.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Orders that are read at the same time at the end.
const READS_AT_ONCE: usize = 32;

/// Anything the server says to a patient may mean that his order moved.
pub(super) async fn wake(mut heard: mpsc::UnboundedReceiver<Heard>, notify: Arc<Notify>) {
    while let Some(heard) = heard.recv().await {
        if matches!(heard, Heard::Event(event::Kind::Changed(_) | event::Kind::Entry(_)) | Heard::Reopened) {
            notify.notify_waiters();
        }
    }
}

/// Until the order is as it should be, or the plan's patience is at its end.
pub(super) async fn await_order(till: &Till, person: u32, order: &str, is_there: impl Fn(&Value) -> bool) -> Result<(), String> {
    let looking = async {
        let notify = till.woken.get(&person).cloned().unwrap_or_default();
        loop {
            let moved = notify.notified();
            tokio::pin!(moved);
            // From here on nothing is missed between the look and the wait.
            moved.as_mut().enable();
            match read(till, person, order).await {
                Ok(order) if is_there(&order) => return Ok(()),
                Ok(_) => {}
                Err(class) => return Err(class),
            }
            // Either way the order is looked at again.
            let _ = tokio::time::timeout(LOOK_EVERY, moved).await;
        }
    };
    tokio::time::timeout(till.part.run.plan.patience.0, looking).await.unwrap_or_else(|_| Err("order_did_not_move".into()))
}

async fn read(till: &Till, person: u32, order: &str) -> Result<Value, String> {
    let run = &till.part.run;
    let who = till.part.person(person);
    let answer = run.http.get(run.target(who), &format!("/api/orders/{order}"), Some(&who.access_token())).await?;
    if answer.is_success() { Ok(answer.body) } else { Err(answer.class()) }
}

/// What was asked, paid and given back has to add up for every order.
pub(super) async fn read_all(till: &Arc<Till>) {
    let orders: Vec<(String, u32)> = till.owners().iter().map(|(order, person)| (order.clone(), *person)).collect();
    let places = Arc::new(tokio::sync::Semaphore::new(READS_AT_ONCE));
    let mut reading = tokio::task::JoinSet::new();
    for (order, person) in orders {
        let (till, places) = (till.clone(), places.clone());
        reading.spawn(async move {
            // The semaphore lives as long as its holders.
            let _place = places.acquire().await;
            match read(&till, person, &order).await {
                Ok(found) => match last(&found) {
                    Some(last) => till.money().read(&order, last),
                    None => till.part.run.fail("order_unreadable"),
                },
                Err(class) => till.part.run.fail(&format!("final_{class}")),
            }
        });
    }
    while reading.join_next().await.is_some() {}
    let found = till.money().settle();
    for (why, count) in &found.why {
        (0..*count).for_each(|_| till.part.run.fail(&format!("money_{why}")));
    }
    till.part.ledger(|ledger| {
        ledger.counts.money += found.wrong;
        ledger.counts.indeterminate += found.indeterminate;
    });
}

fn last(order: &Value) -> Option<FinalOrder> {
    let refunds = order.get("refunds")?.as_array()?.iter();
    let counts = |refund: &&Value| !matches!(refund["state"].as_str(), Some("denied" | "closed" | "requested"));
    Some(FinalOrder {
        amount_fen: order.get("amount_fen")?.as_i64()?,
        is_paid: order.get("paid_at").is_some_and(|at| !at.is_null()),
        refunds_fen: refunds.filter(counts).map(|refund| refund["amount_fen"].as_i64()).collect::<Option<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn refused_refunds_give_nothing_back() {
        let order = json!({"amount_fen": 3700, "paid_at": 5, "refunds": [
            {"amount_fen": 3700, "state": "denied"}, {"amount_fen": 3700, "state": "success"},
        ]});
        let expected = FinalOrder { amount_fen: 3700, is_paid: true, refunds_fen: vec![3700] };
        assert_eq!(last(&order), Some(expected));
        assert_eq!(last(&json!({"amount_fen": 1, "refunds": []})).map(|order| order.is_paid), Some(false));
        assert_eq!(last(&json!({"amount_fen": "1", "refunds": []})), None);
    }
}
