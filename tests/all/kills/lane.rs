//! One patient with one doctor, one consultation after the other, through as many lives of the server as it takes.

use super::case::{Case, LIVES, People, is_true, until};
use chat::wire::{Entry, body, consultation_change::State};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use std::collections::HashSet;
use tests::{rest::Gone, socket::Socket};
use tokio::sync::watch;

#[derive(Debug)]
pub struct Lane {
    pub number: usize,
    random: StdRng,
    /// The last one may still go on.
    pub cases: Vec<Case>,
    /// Cases before this one were looked at after a kill, and nobody has touched them since.
    settled: usize,
}

impl Lane {
    pub fn new(number: usize, seed: u64) -> Self {
        Self { number, random: StdRng::seed_from_u64(seed ^ ((number as u64 + 1) << 32)), cases: Vec::new(), settled: 0 }
    }

    /// Looks at what the life before left, then goes on until nobody answers any more.
    pub async fn live(&mut self, people: &People, steps: &watch::Sender<u64>) -> Result<std::convert::Infallible, Gone> {
        self.recall(people).await?;
        loop {
            self.finish(people, steps).await?;
            let life = LIVES[self.random.random_range(0..LIVES.len())];
            self.cases.push(Case::new(life, form(people).await?));
        }
    }

    /// What was begun comes to its end.
    pub async fn finish(&mut self, people: &People, steps: &watch::Sender<u64>) -> Result<(), Gone> {
        let Some(case) = self.cases.last_mut() else { return Ok(()) };
        while let Some(step) = case.next() {
            case.go_on(step, people).await?;
            steps.send_modify(|count| *count += 1);
        }
        Ok(())
    }

    /// Whatever was answered is still so.
    pub async fn recall(&mut self, people: &People) -> Result<(), Gone> {
        for case in self.cases[self.settled..].iter().filter(|case| case.is_ordered()) {
            let it = people.patient.get(&case.path("")).await?;
            for fact in &case.facts {
                assert!(is_true(*fact, &it), "{fact:?} was answered, and {} is {}", it["id"], it["state"]);
            }
        }
        self.settled = self.cases.len().saturating_sub(1);
        Ok(())
    }

    /// Every consultation at rest: its money in a definite place, its conversation whole. Answers how many were served to the end.
    pub async fn is_at_rest(&self, people: &People) -> Result<usize, Gone> {
        let mut ended = 0;
        for case in self.cases.iter().filter(|case| case.is_ordered()) {
            assert_eq!(case.next(), None, "its life is over");
            let it = people.patient.get(&case.path("")).await?;
            let state = it["state"].as_str().unwrap_or_default();
            let is_served = ["in_progress", "ended"].contains(&state);
            let paid = case.facts.contains(&super::case::Step::Pay);
            let order = until(&people.patient, &case.order_path(), |order| is_definite(order, is_served, paid)).await?;
            let refunds = order["refunds"].as_array().map_or(0, Vec::len);
            let came_in = order["paid_at"].is_i64() || refunds > 0;
            assert_eq!(refunds, usize::from(came_in && !is_served), "{state}: {order}");
            assert!(came_in || !is_served, "served without money: {order}");
            assert!(refunds == 0 || order["refunds"][0]["amount_fen"] == order["amount_fen"], "all of it goes back: {order}");
            if it["conversation_id"].is_string() {
                let mut socket = Socket::open(people.port, &people.patient.token).await.map_err(|_| Gone)?;
                check(case, &it, &socket.history(it["conversation_id"].as_str().unwrap_or_default()).await);
            }
            if state == "ended" {
                ended += 1;
                let record = people.patient.get(&case.path("/record")).await?;
                assert!(record["signed_hash"].is_string(), "the record is signed");
            }
        }
        Ok(ended)
    }
}

/// `paid`: the cashier has said so; then the money is either kept for a service or back.
fn is_definite(order: &Value, is_served: bool, paid: bool) -> bool {
    match (order["state"].as_str(), order["refund_state"].as_str()) {
        (Some("paid"), Some("none")) => is_served,
        (Some("paid" | "closed"), Some("refunded")) => !is_served && order["refunds"][0]["state"] == "success",
        (Some("closed"), Some("none")) => !is_served && !paid,
        _ => false,
    }
}

/// Dense, every acknowledged line at its place and once, and every word about the consultation once.
fn check(case: &Case, it: &Value, entries: &[Entry]) {
    let seqs: Vec<u64> = entries.iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, (1..=entries.len() as u64).collect::<Vec<_>>(), "seq is dense from 1");
    let ids: HashSet<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!(ids.len(), entries.len(), "no id stands twice");
    for (id, seq) in &case.said {
        let place = entries.iter().find(|entry| entry.id == id.to_string()).map(|entry| entry.seq);
        assert_eq!(place, Some(*seq), "acknowledged at {seq}");
    }
    let changes: Vec<State> = entries.iter().filter_map(change).collect();
    let expected: &[State] = match (it["accepted_at"].is_i64(), it["state"] == "in_progress") {
        (true, true) => &[State::Waiting, State::Open],
        (true, false) => &[State::Waiting, State::Open, State::Closed],
        (false, _) => &[State::Waiting, State::Closed],
    };
    assert_eq!(changes, expected, "the story of {} ({})", it["id"], it["state"]);
}

fn change(entry: &Entry) -> Option<State> {
    match entry.body.as_ref()?.kind.as_ref()? {
        body::Kind::Consultation(change) => State::try_from(change.state).ok(),
        _ => None,
    }
}

/// What a patient hands in, with the notices in force.
async fn form(people: &People) -> Result<Value, Gone> {
    let notices = people.patient.get("/api/notices").await?;
    let wanted = |notice: &&Value| ["scope_notice", "informed_consent"].contains(&notice["kind"].as_str().unwrap_or_default());
    let consents: Vec<Value> = notices
        .as_array()
        .into_iter()
        .flatten()
        .filter(wanted)
        .map(|notice| json!({ "kind": notice["kind"], "version": notice["version"], "text_hash": notice["text_hash"] }))
        .collect();
    let doctor = people.doctor.get("/api/doctor/profile").await?["id"].clone();
    let intake =
        json!({ "symptoms": "咳嗽三天", "onset": "三天前", "past_history": "无", "description": "夜里加重,无发热", "attachments": [] });
    Ok(json!({ "doctor_id": doctor, "kind": "advice", "channel": "text", "intake": intake, "consents": consents }))
}
