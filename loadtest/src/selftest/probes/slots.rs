//! A rush on 500 places: everybody wants one, one in five asks again with the same id, all at once.

use super::findings;
use crate::connect::{Http, Target};
use crate::ledger::slots::{Answer, Slots};
use crate::people::Person;
use crate::run::RunError;
use crate::seed::Seeded;
use crate::selftest::expect::Findings;
use crate::selftest::lies::Lie;
use futures_util::StreamExt;
use serde_json::{Value, json};
use uuid::Uuid;

const SLOTS: u64 = 10;
const PLACES: u64 = 50;
const WISHES: u64 = 60;
const AT_ONCE: usize = 32;

/// Where a place can be sold twice only a refusal comes into question, elsewhere every sale.
pub fn among_slots(lie: Option<Lie>) -> u64 {
    if lie == Some(Lie::SellTwice) { SLOTS * (WISHES - PLACES) } else { SLOTS * PLACES }
}

pub async fn slots(target: &Target, people: &[Person], seed: u64) -> Result<Findings, RunError> {
    let http = Http::new().map_err(|error| RunError::Infrastructure(error.to_string()))?;
    let mut ledger = Slots::default();
    let mut dice = Seeded::new(seed, "bookings");
    for slot in 0..SLOTS {
        let path = format!("/selftest/slots/{slot}");
        let opened = Http::answer(http.request(reqwest::Method::PUT, target, &path, None).json(&PLACES)).await;
        opened.map_err(RunError::Target)?;
        ledger.capacity(&slot.to_string(), PLACES);
    }
    let wishes: Vec<(u64, Uuid, usize)> = (0..SLOTS * WISHES).map(|wish| (wish % SLOTS, dice.uuid(), dice.below(people.len()))).collect();
    for (slot, request, _) in &wishes {
        ledger.asked(*request, &slot.to_string());
    }
    let again = wishes.iter().filter(|_| dice.chance(0.2)).copied().collect::<Vec<_>>();
    let http = &http;
    let answers = futures_util::stream::iter(wishes.into_iter().chain(again))
        .map(|(slot, request, person)| async move { (request, book(http, target, &people[person], slot, request).await) })
        .buffer_unordered(AT_ONCE);
    let answers: Vec<_> = answers.collect().await;
    for (request, answer) in answers {
        if let Some(answer) = answer {
            ledger.answered(request, answer);
        }
    }
    for slot in 0..SLOTS {
        if let Ok(answer) = http.get(target, &format!("/selftest/slots/{slot}"), None).await {
            ledger.listed(&slot.to_string(), listed(&answer.body));
        }
    }
    let found = ledger.settle();
    Ok(findings([
        ("oversold", found.oversold),
        ("undersold", found.undersold),
        ("phantom", found.phantom),
        ("indeterminate", found.indeterminate),
        ("not_sold_out", (SLOTS * PLACES).saturating_sub(found.sold)),
    ]))
}

/// None where no definite answer came.
async fn book(http: &Http, target: &Target, person: &Person, slot: u64, request: Uuid) -> Option<Answer> {
    let path = format!("/selftest/slots/{slot}/bookings");
    let answer = http.post(target, &path, Some(&person.access_token()), None, &json!({ "request": request })).await.ok()?;
    match answer.status {
        201 => Some(Answer::Booked { booking: answer.body["booking"].as_str()?.to_owned() }),
        409 => Some(Answer::Full),
        _ => None,
    }
}

fn listed(body: &Value) -> Vec<(String, Uuid)> {
    let bookings = body["bookings"].as_array().map(Vec::as_slice).unwrap_or_default();
    bookings
        .iter()
        .filter_map(|booking| Some((booking["booking"].as_str()?.to_owned(), booking["request"].as_str()?.parse().ok()?)))
        .collect()
}
