//! One patient's order from the form to the money, and perhaps back. Whoever clicks twice must get one thing.

use super::Till;
use super::settle::await_order;
use crate::connect::{Answer, Http};
use crate::measure::Metric;
use crate::seed::Seeded;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) async fn order(till: Arc<Till>, person: u32, intended_micros: u64, mut dice: Seeded) {
    let visit = Visit { till: &till, person };
    let Some(made) = visit.create(intended_micros, &mut dice).await else { return };
    if dice.chance(till.options.unpaid_share) || !visit.pay(&made, &mut dice).await {
        return;
    }
    if dice.chance(till.options.refund_share) {
        visit.refund(&made, &mut dice).await;
    }
}

struct Visit<'a> {
    till: &'a Till,
    person: u32,
}

struct Made {
    consultation: String,
    order: String,
    price_fen: i64,
}

impl Visit<'_> {
    async fn post(&self, path: &str, key: Option<&str>, body: &Value) -> Result<Answer, String> {
        let run = &self.till.part.run;
        let who = self.till.part.person(self.person);
        run.http.post(run.target(who), path, Some(&who.access_token()), key, body).await
    }

    fn fail(&self, class: &str) {
        self.till.part.run.fail(class);
    }

    async fn create(&self, intended_micros: u64, dice: &mut Seeded) -> Option<Made> {
        let (form, price_fen) = self.till.clinic.order(dice);
        let key = dice.uuid().to_string();
        let answer = self.post("/api/consultations", Some(&key), &form).await;
        let made = answer.and_then(|answer| made(&answer, price_fen));
        self.till.part.outcome(Metric::PayCreate, intended_micros, &made.as_ref().map(drop).map_err(Clone::clone));
        // Without an answer it is not known whether there is an order: the same key is safe to repeat.
        let repeated = made.is_err() || dice.chance(self.till.options.repeat_share);
        let again = if repeated { Some(self.post("/api/consultations", Some(&key), &form).await) } else { None };
        let (made, again) = match (made, again.map(|again| again.and_then(|again| crate::scenario::pay::order::made(&again, price_fen)))) {
            (Ok(made), again) => (made, again),
            (Err(_), Some(Ok(again))) => (again, None),
            (Err(_), _) => return None,
        };
        self.till.money().created(&made.order, price_fen);
        self.till.owners().insert(made.order.clone(), self.person);
        match again {
            Some(Ok(again)) if again.order != made.order => {
                self.fail("repeat_made_another_order");
                self.till.part.ledger(|ledger| ledger.counts.duplicated += 1);
            }
            Some(Err(class)) => self.fail(&format!("repeat_{class}")),
            _ => {}
        }
        Some(made)
    }

    /// True when the order is paid.
    async fn pay(&self, made: &Made, dice: &mut Seeded) -> bool {
        let intended_micros = self.till.part.run.clock.micros();
        let path = format!("/api/orders/{}/payments", made.order);
        let wish = json!({"channel": "wechat"});
        let twice = dice.chance(self.till.options.double_click_share);
        let begun = if twice {
            let (first, second) = tokio::join!(self.post(&path, None, &wish), self.post(&path, None, &wish));
            vec![first, second]
        } else {
            vec![self.post(&path, None, &wish).await]
        };
        for begun in begun {
            match begun.as_ref().map(|answer| (answer.status, started(&answer.body))) {
                Ok((201, Some((payment, cashier)))) => self.click(made, payment, cashier, twice).await,
                Ok((201, None)) => return self.fail_false("no_cashier"),
                // The second click of a pair may come when the first has paid already.
                Ok((409, _)) if twice => {}
                Ok(_) => self.fail(&begun.map_or_else(|class| class, |answer| answer.class())),
                Err(class) => self.fail(class),
            }
        }
        let paid = await_order(self.till, self.person, &made.order, |order| !order["paid_at"].is_null()).await;
        self.till.part.outcome(Metric::PaySettle, intended_micros, &paid);
        paid.is_ok()
    }

    fn fail_false(&self, class: &str) -> bool {
        self.fail(class);
        false
    }

    /// At the cashier, perhaps twice at once: exactly one click may be taken.
    async fn click(&self, made: &Made, payment: &str, cashier: &str, twice: bool) {
        let pay = || async {
            let run = &self.till.part.run;
            let target = run.target(self.till.part.person(self.person));
            let request = run.http.request(reqwest::Method::POST, target, cashier, None);
            Http::answer(request.header("content-type", "application/x-www-form-urlencoded").body("action=pay")).await
        };
        let clicks = if twice {
            let (first, second) = tokio::join!(pay(), pay());
            vec![first, second]
        } else {
            vec![pay().await]
        };
        for click in clicks {
            match click {
                Ok(answer) if answer.status == 200 => self.till.money().captured(&made.order, payment, made.price_fen),
                Ok(answer) if answer.status == 409 && twice => {}
                Ok(answer) => self.fail(&format!("cashier_{}", answer.class())),
                Err(class) => {
                    self.till.money().capture_unknown(&made.order);
                    self.fail(&class);
                }
            }
        }
    }

    /// By either of the two doors, with a double click: one of them is granted.
    async fn refund(&self, made: &Made, dice: &mut Seeded) {
        let intended_micros = self.till.part.run.clock.micros();
        let (path, body) = match dice.chance(0.5) {
            true => (format!("/api/orders/{}/refund-requests", made.order), json!({"reason": "时间不合适"})),
            false => (format!("/api/consultations/{}/cancel", made.consultation), json!({})),
        };
        let (first, second) = tokio::join!(self.post(&path, None, &body), self.post(&path, None, &body));
        let answers = [first, second];
        let granted = answers.iter().flatten().filter(|answer| answer.is_success()).count();
        for answer in &answers {
            match answer {
                Ok(answer) if answer.is_success() || is_second_click(&answer.class()) => {}
                Ok(answer) => self.fail(&format!("refund_{}", answer.class())),
                Err(class) => {
                    self.till.money().refund_unknown(&made.order);
                    self.fail(class);
                }
            }
        }
        if granted == 0 {
            return;
        }
        self.till.money().refund_promised(&made.order, made.price_fen);
        let refunded = |order: &Value| order["refund_state"] == "refunded";
        let back = await_order(self.till, self.person, &made.order, refunded).await;
        self.till.part.outcome(Metric::PayRefund, intended_micros, &back);
    }
}

fn is_second_click(class: &str) -> bool {
    matches!(class, "refund_in_progress" | "refund_done" | "wrong_state" | "invalid_transition" | "order_not_paid")
}

fn made(answer: &Answer, price_fen: i64) -> Result<Made, String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match (answer.status, text(&answer.body["id"]), text(&answer.body["order"]["id"])) {
        (201, Some(consultation), Some(order)) => Ok(Made { consultation, order, price_fen }),
        _ => Err(answer.class()),
    }
}

/// Payment and cashier.
fn started(body: &Value) -> Option<(&str, &str)> {
    Some((body.get("payment_id")?.as_str()?, body.get("cashier_url")?.as_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_one_only_with_its_ids() {
        let answer = |status, body| Answer { status, body };
        let right = json!({"id": "c", "order": {"id": "o"}});
        assert!(made(&answer(201, right.clone()), 1).is_ok_and(|made| made.order == "o" && made.consultation == "c"));
        assert_eq!(made(&answer(409, json!({"code": "price_changed"})), 1).err().as_deref(), Some("price_changed"));
        assert!(made(&answer(200, right), 1).is_err());
        assert!(started(&json!({"payment_id": "p"})).is_none(), "no cashier: no demo");
        assert!(is_second_click("refund_done") && !is_second_click("rate_limited"));
    }
}
