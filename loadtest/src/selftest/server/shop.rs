//! Consultations, orders, payments and refunds of the selftest server: the paths and shapes of the real API that paying needs.

use super::http::{Actor, Problem, Shared};
use super::world::{World, now_ms};
use crate::selftest::lies::Lie;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub const PRICE_FEN: i64 = 3_700;

#[derive(Debug, Default)]
pub struct Shop {
    /// By consultation.
    orders: BTreeMap<String, Order>,
    /// Idempotency key of a person -> consultation.
    keys: BTreeMap<(usize, String), String>,
}

#[derive(Clone, Debug)]
struct Order {
    id: String,
    patient: usize,
    amount_fen: i64,
    created_at: i64,
    prepay_id: Option<String>,
    paid_at: Option<i64>,
    cancelled: bool,
    /// What came back, and the id of that refund.
    refunded: Option<(String, i64)>,
}

type Answer = Result<(StatusCode, Json<Value>), Problem>;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/api/notices", get(async || Json(notices())))
        .route("/api/doctors", get(doctors))
        .route("/api/consultations", post(create))
        .route("/api/consultations/{id}", get(show_consultation))
        .route("/api/consultations/{id}/cancel", post(cancel))
        .route("/api/orders/{id}", get(show_order))
        .route("/api/orders/{id}/payments", post(start_payment))
        .route("/api/orders/{id}/refund-requests", post(ask_refund))
        .route("/demo/cashier/{prepay_id}", post(pay))
}

fn notices() -> Value {
    let notice = |kind: &str| json!({ "kind": kind, "version": "1", "title": kind, "text": kind, "text_hash": "00" });
    json!([notice("scope_notice"), notice("informed_consent"), notice("av_notice"), notice("privacy")])
}

async fn doctors(State(shared): State<Shared>) -> Json<Value> {
    let world = shared.world();
    let doctors = world.residents.iter().filter(|resident| resident.role == chat::wire::SenderRole::Doctor);
    let prices = json!([{ "kind": "advice", "channel": "text", "amount_fen": PRICE_FEN }]);
    let items: Vec<Value> = doctors
        .map(|doctor| json!({ "id": doctor.user, "user_id": doctor.user, "name": "selftest", "accepting": true, "prices": prices }))
        .collect();
    Json(json!({ "total": items.len(), "page": 1, "page_size": items.len(), "items": items }))
}

async fn create(State(shared): State<Shared>, Actor(person): Actor, headers: axum::http::HeaderMap, Json(wish): Json<Value>) -> Answer {
    let mut world = shared.world();
    if wish.get("doctor_id").and_then(Value::as_str).is_none() {
        return Err(Problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid_field"));
    }
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).map(str::to_owned);
    if let Some(known) = key.as_ref().and_then(|key| world.shop.keys.get(&(person, key.clone()))) {
        return Ok((StatusCode::CREATED, Json(world.consultation(known))));
    }
    let (consultation, order) = (world.id(), world.id());
    let order = Order {
        id: order,
        patient: person,
        amount_fen: PRICE_FEN,
        created_at: now_ms(),
        prepay_id: None,
        paid_at: None,
        cancelled: false,
        refunded: None,
    };
    world.shop.orders.insert(consultation.clone(), order);
    if let Some(key) = key {
        world.shop.keys.insert((person, key), consultation.clone());
    }
    Ok((StatusCode::CREATED, Json(world.consultation(&consultation))))
}

async fn show_consultation(State(shared): State<Shared>, Actor(person): Actor, Path(id): Path<String>) -> Answer {
    let mut world = shared.world();
    world.order_of(person, |consultation, _| consultation == id).ok_or(Problem(StatusCode::NOT_FOUND, "not_found"))?;
    Ok((StatusCode::OK, Json(world.consultation(&id))))
}

async fn show_order(State(shared): State<Shared>, Actor(person): Actor, Path(id): Path<String>) -> Answer {
    let mut world = shared.world();
    let (consultation, order) = world.order_of(person, |_, order| order.id == id).ok_or(Problem(StatusCode::NOT_FOUND, "not_found"))?;
    let body = order.body(&consultation);
    Ok((StatusCode::OK, Json(body)))
}

async fn start_payment(State(shared): State<Shared>, Actor(person): Actor, Path(id): Path<String>) -> Answer {
    let mut world = shared.world();
    let prepay_id = world.id();
    let (_, order) = world.order_of(person, |_, order| order.id == id).ok_or(Problem(StatusCode::NOT_FOUND, "not_found"))?;
    if order.paid_at.is_some() || order.cancelled {
        return Err(Problem(StatusCode::CONFLICT, if order.cancelled { "order_closed" } else { "order_paid" }));
    }
    let prepay_id = order.prepay_id.get_or_insert(prepay_id).clone();
    let body = json!({ "payment_id": prepay_id, "prepay_id": prepay_id, "cashier_url": format!("/demo/cashier/{prepay_id}") });
    Ok((StatusCode::CREATED, Json(body)))
}

/// Whoever has the link pays; a second click changes nothing.
async fn pay(State(shared): State<Shared>, Path(prepay_id): Path<String>) -> Result<&'static str, Problem> {
    let mut world = shared.world();
    let order = world.shop.orders.values_mut().find(|order| order.prepay_id.as_ref() == Some(&prepay_id));
    let order = order.filter(|order| !order.cancelled).ok_or(Problem(StatusCode::CONFLICT, "order_closed"))?;
    order.paid_at.get_or_insert(now_ms());
    Ok("paid")
}

async fn cancel(State(shared): State<Shared>, Actor(person): Actor, Path(id): Path<String>) -> Answer {
    let mut world = shared.world();
    world.refund(person, |consultation, _| consultation == id)?;
    Ok((StatusCode::OK, Json(world.consultation(&id))))
}

async fn ask_refund(State(shared): State<Shared>, Actor(person): Actor, Path(id): Path<String>) -> Answer {
    let mut world = shared.world();
    let consultation = world.refund(person, |_, order| order.id == id)?;
    let body = world.shop.orders[&consultation].body(&consultation);
    Ok((StatusCode::ACCEPTED, Json(body)))
}

impl World {
    fn order_of(&mut self, person: usize, is: impl Fn(&str, &Order) -> bool) -> Option<(String, &mut Order)> {
        let mut orders = self.shop.orders.iter_mut().filter(|(_, order)| order.patient == person);
        orders.find(|(consultation, order)| is(consultation, order)).map(|(consultation, order)| (consultation.clone(), order))
    }

    fn refund(&mut self, person: usize, is: impl Fn(&str, &Order) -> bool) -> Result<String, Problem> {
        let refund = self.id();
        let (consultation, order) = self.order_of(person, is).ok_or(Problem(StatusCode::NOT_FOUND, "not_found"))?;
        if order.cancelled {
            return Err(Problem(StatusCode::CONFLICT, "wrong_state"));
        }
        order.cancelled = true;
        let paid = order.paid_at.is_some();
        if paid {
            let short = i64::from(self.liar.strikes(Lie::OneFen, true));
            if let Some(order) = self.shop.orders.get_mut(&consultation) {
                order.refunded = Some((refund, order.amount_fen - short));
            }
        }
        Ok(consultation)
    }

    fn consultation(&self, id: &str) -> Value {
        let Some(order) = self.shop.orders.get(id) else { return Value::Null };
        let resident = &self.residents[order.patient];
        let state = match (order.cancelled, order.paid_at) {
            (true, _) => "cancelled",
            (false, Some(_)) => "paid_waiting",
            (false, None) => "created",
        };
        json!({
            "id": id, "kind": "advice", "channel": "text", "state": state, "state_label": state, "version": 1,
            "conversation_id": order.paid_at.map(|_| &resident.conversation), "price_fen": order.amount_fen,
            "created_at": order.created_at, "follow_ups_left": 0,
            "order": {
                "id": order.id, "order_no": order.id, "amount_fen": order.amount_fen, "state": order.state(),
                "refund_state": order.refund_state(), "refundable": order.paid_at.is_some() && !order.cancelled,
            },
        })
    }
}

impl Order {
    fn state(&self) -> &'static str {
        match (self.paid_at, self.cancelled) {
            (Some(_), _) => "paid",
            (None, true) => "closed",
            (None, false) => "unpaid",
        }
    }

    fn refund_state(&self) -> &'static str {
        if self.refunded.is_some() { "refunded" } else { "none" }
    }

    fn body(&self, consultation: &str) -> Value {
        let refunds: Vec<Value> = self
            .refunded
            .iter()
            .map(|(id, fen)| json!({ "id": id, "amount_fen": fen, "state": "success", "reason": "cancelled", "created_at": self.created_at }))
            .collect();
        json!({
            "id": self.id, "order_no": self.id, "subject": "selftest", "consultation_id": consultation, "amount_fen": self.amount_fen,
            "state": self.state(), "refund_state": self.refund_state(), "display_state": self.state(), "created_at": self.created_at,
            "paid_at": self.paid_at, "expires_at": self.created_at + 900_000, "refunds": refunds,
        })
    }
}
