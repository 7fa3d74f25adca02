//! Bookable slots, which exist only here: the product has none yet, and the ledger's checker of them must be seen to work.

use super::http::{Actor, Problem, Shared};
use super::world::World;
use crate::selftest::lies::Lie;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub struct Booths(BTreeMap<String, Booth>);

#[derive(Debug, Default)]
struct Booth {
    capacity: usize,
    /// Booking and the request it answers, in order.
    bookings: Vec<(String, String)>,
    answers: BTreeMap<String, Option<String>>,
}

#[derive(Debug, Deserialize)]
struct Wish {
    request: String,
}

pub fn routes() -> Router<Shared> {
    Router::new().route("/selftest/slots/{slot}", get(show).put(open)).route("/selftest/slots/{slot}/bookings", post(book))
}

async fn open(State(shared): State<Shared>, Path(slot): Path<String>, Json(capacity): Json<usize>) -> StatusCode {
    shared.world().booths.0.entry(slot).or_default().capacity = capacity;
    StatusCode::NO_CONTENT
}

async fn show(State(shared): State<Shared>, Path(slot): Path<String>) -> Json<Value> {
    let world = shared.world();
    let bookings = world.booths.0.get(&slot).map(|booth| booth.bookings.as_slice()).unwrap_or_default();
    let bookings: Vec<Value> = bookings.iter().map(|(booking, request)| json!({ "booking": booking, "request": request })).collect();
    Json(json!({ "bookings": bookings }))
}

async fn book(
    State(shared): State<Shared>,
    _: Actor,
    Path(slot): Path<String>,
    Json(wish): Json<Wish>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    match shared.world().book(&slot, wish.request) {
        Some(booking) => Ok((StatusCode::CREATED, Json(json!({ "booking": booking })))),
        None => Err(Problem(StatusCode::CONFLICT, "slot_full")),
    }
}

impl World {
    fn book(&mut self, slot: &str, request: String) -> Option<String> {
        let id = self.id();
        let booth = self.booths.0.entry(slot.to_owned()).or_default();
        if let Some(answer) = booth.answers.get(&request) {
            return answer.clone();
        }
        let is_full = booth.bookings.len() >= booth.capacity;
        let is_free = !is_full || self.liar.strikes(Lie::SellTwice, true);
        let answer = is_free.then_some(id);
        if let Some(booking) = &answer {
            booth.bookings.push((booking.clone(), request.clone()));
            if !is_full && self.liar.strikes(Lie::LoseBooking, true) {
                // The place stays taken, so that nobody else gets it: only its owner goes without.
                booth.capacity -= 1;
                booth.bookings.pop();
            }
        }
        booth.answers.insert(request, answer.clone());
        answer
    }
}
