//! Orders, each paid and then given back, over the paths of the real API.

use super::findings;
use crate::connect::{Http, Target};
use crate::ledger::money::{FinalOrder, Money};
use crate::people::{Person, Role};
use crate::run::RunError;
use crate::selftest::expect::Findings;
use serde_json::{Value, json};

const ORDERS_EACH: u64 = 10;
/// Of the four patients among eight people; every other order is cancelled.
pub const REFUNDS: u64 = 4 * ORDERS_EACH / 2;

struct Payer<'a> {
    http: &'a Http,
    target: &'a Target,
    token: String,
}

pub async fn money(target: &Target, people: &[Person]) -> Result<Findings, RunError> {
    let http = Http::new().map_err(|error| RunError::Infrastructure(error.to_string()))?;
    let mut ledger = Money::default();
    let mut failed = 0;
    for patient in people.iter().filter(|person| person.role == Role::Patient) {
        let payer = Payer { http: &http, target, token: patient.access_token() };
        for number in 0..ORDERS_EACH {
            failed += u64::from(payer.order(&mut ledger, &format!("{}-{number}", patient.user), number % 2 == 0).await.is_none());
        }
        let orders: Vec<String> = ledger.orders().map(str::to_owned).collect();
        for order in orders {
            if let Some(last) = payer.read(&order).await {
                ledger.read(&order, last);
            }
        }
    }
    let found = ledger.settle();
    Ok(findings([("money", found.wrong), ("indeterminate", found.indeterminate), ("failures", failed)]))
}

impl Payer<'_> {
    /// None where a step failed.
    async fn order(&self, ledger: &mut Money, key: &str, cancel: bool) -> Option<()> {
        let wish =
            json!({ "doctor_id": uuid::Uuid::nil(), "kind": "advice", "channel": "text", "intake": { "symptoms": key }, "consents": [] });
        let made = self.post("/api/consultations", Some(key), &wish).await?;
        let (consultation, order) = (made["id"].as_str()?, made["order"]["id"].as_str()?);
        let amount_fen = made["price_fen"].as_i64()?;
        ledger.created(order, amount_fen);
        let started = self.post(&format!("/api/orders/{order}/payments"), None, &json!({ "channel": "wechat" })).await?;
        let paid = self.http.request(reqwest::Method::POST, self.target, started["cashier_url"].as_str()?, None);
        match Http::answer(paid.header("content-type", "application/x-www-form-urlencoded").body("action=pay")).await {
            Ok(answer) if answer.is_success() => ledger.captured(order, started["payment_id"].as_str()?, amount_fen),
            Ok(_) => return None,
            Err(_) => ledger.capture_unknown(order),
        }
        if cancel {
            let cancelled = self
                .http
                .post(self.target, &format!("/api/consultations/{consultation}/cancel"), Some(&self.token), None, &json!({}))
                .await;
            match cancelled {
                Ok(answer) if answer.is_success() => ledger.refund_promised(order, amount_fen),
                Ok(_) => return None,
                Err(_) => ledger.refund_unknown(order),
            }
        }
        Some(())
    }

    async fn post(&self, path: &str, key: Option<&str>, body: &Value) -> Option<Value> {
        let answer = self.http.post(self.target, path, Some(&self.token), key, body).await.ok()?;
        answer.is_success().then_some(answer.body)
    }

    /// None where it is somebody else's, or cannot be read.
    async fn read(&self, order: &str) -> Option<FinalOrder> {
        let answer = self.http.get(self.target, &format!("/api/orders/{order}"), Some(&self.token)).await.ok()?;
        let refunds = answer.body["refunds"].as_array()?.iter().filter(|refund| refund["state"] != "denied");
        Some(FinalOrder {
            amount_fen: answer.body["amount_fen"].as_i64()?,
            is_paid: answer.body["state"] == "paid",
            refunds_fen: refunds.filter_map(|refund| refund["amount_fen"].as_i64()).collect(),
        })
    }
}
