//! A past for the demo: finished consultations with signed records and shown reviews, lived through before the first start.
//!
//! An app of its own stands on a clock that begins weeks ago and is moved on. Its people act through the public API and the conversation
//! log, so whatever a consultation leaves behind is there (entries, ledger, signature, rating) and verifies. It is closed
//! before the real app opens the same folders.

use super::fill::{self, People};
use crate::{
    StartError, build,
    config::Config,
    consultations,
    db::DbError,
    http::{Problem, causes},
    outbox, server,
    state::App,
    timers,
};
use axum::{Router, body::Body};
use chat::{
    clock::Clock,
    entropy::Entropy,
    ids::{ConversationId, Role, Timestamp, UserId},
    log::{Draft, Guard, LogError, MarkKind},
    token::AccessClaims,
    wire,
};
use http::{Method, Request};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// An answer of our own API.
const ANSWER_BYTES_MAX: usize = 1 << 20;

#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    #[error("opening the app of the past")]
    Start(#[from] StartError),
    #[error("reading history.toml")]
    Cases(#[from] toml::de::Error),
    #[error("writing the hospital: {0}")]
    Fill(&'static str),
    #[error("{path} was answered with {status}: {code}")]
    Refused { path: String, status: u16, code: String },
    #[error("an answer lacks {0}")]
    Incomplete(&'static str),
    #[error("saying something in a conversation")]
    Log(#[from] LogError),
    #[error("moving timers and messages")]
    Db(#[from] DbError),
    #[error("making a request")]
    Http(#[from] http::Error),
    #[error("following the log: {0}")]
    Follow(String),
}

impl From<Problem> for HistoryError {
    fn from(problem: Problem) -> Self {
        Self::Fill(problem.code.code)
    }
}

#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    days_ago: i64,
    patient: usize,
    doctor: usize,
    symptoms: String,
    onset: String,
    past_history: String,
    description: String,
    talk: Vec<String>,
    impression: String,
    #[serde(default)]
    symptom_analysis: String,
    advice: String,
    score: i64,
    review: String,
    tags: Vec<String>,
}

/// Writes hospital and past into folders that hold no installation yet; does nothing otherwise.
pub async fn prepare(config: &Config, now: Timestamp) -> Result<(), HistoryError> {
    if config.data.join("log").exists() {
        return Ok(());
    }
    let cases: Cases = toml::from_str(include_str!("history.toml"))?;
    let begin = cases.cases.iter().map(|case| case.days_ago).max().unwrap_or_default();
    let clock = Clock::manual(now.plus_ms(-(begin + 1) * DAY_MS));
    let app = build(config.clone(), clock, Entropy::System).await?;
    if let Some(people) = fill::fill_as_of(&app, now).await? {
        let past = Past { router: server::router(&app), app: app.clone(), people };
        for case in &cases.cases {
            past.move_to(now.plus_ms(-case.days_ago * DAY_MS)).await?;
            past.live(case).await?;
        }
        past.move_to(now).await?;
        tracing::info!(consultations = cases.cases.len(), "demo.history");
    }
    close(app).await;
    Ok(())
}

/// The folders are free when this returns.
async fn close(app: App) {
    app.close().await;
    let log = Arc::downgrade(&app.log);
    drop(app);
    // Tasks of the hub and of calls let go of the log when they are polled next; until then its folder is locked.
    while log.upgrade().is_some() {
        tokio::task::yield_now().await;
    }
}

struct Past {
    app: App,
    router: Router,
    people: People,
}

#[derive(Clone, Copy)]
struct Person(UserId, Role);

impl Past {
    /// Moves the clock on and lets happen what became due.
    async fn move_to(&self, at: Timestamp) -> Result<(), HistoryError> {
        self.app.clock.advance_ms(at.since_ms(self.app.clock.now()).max(0));
        while outbox::run_due(&self.app).await? + timers::fire_due(&self.app).await? > 0 {}
        Ok(())
    }

    fn pass(&self, minutes: i64) {
        self.app.clock.advance_ms(minutes * MINUTE_MS);
    }

    async fn live(&self, case: &Case) -> Result<(), HistoryError> {
        let patient = Person(*self.people.patients.get(case.patient).ok_or(HistoryError::Incomplete("a patient"))?, Role::Patient);
        let doctor = case.doctor.checked_sub(1).and_then(|index| self.people.doctors.get(index));
        let doctor = Person(*doctor.ok_or(HistoryError::Incomplete("a doctor"))?, Role::Doctor);
        let (id, conversation) = self.ordered_and_paid(case, patient, doctor).await?;
        self.pass(12);
        let path = |verb: &str| format!("/api/consultations/{id}/{verb}");
        self.post(doctor, &path("accept"), json!({})).await?;
        self.talk(case, conversation, patient, doctor).await?;
        let record = json!({
            "version": 0, "impression": case.impression, "symptom_analysis": case.symptom_analysis, "advice": case.advice,
        });
        self.send(doctor, Method::PUT, &path("record"), record).await?;
        self.pass(5);
        self.post(doctor, &path("end"), Value::Null).await?;
        self.pass(90);
        self.reviewed(case, &path("reviews"), patient).await?;
        for reader in [patient, doctor] {
            self.read_everything(reader, conversation).await?;
        }
        Ok(())
    }

    async fn ordered_and_paid(&self, case: &Case, patient: Person, doctor: Person) -> Result<(String, ConversationId), HistoryError> {
        let profile = self.get(doctor, "/api/doctor/profile").await?;
        let notices = self.get(patient, "/api/notices").await?;
        let wanted = |notice: &&Value| matches!(notice["kind"].as_str(), Some("scope_notice" | "informed_consent"));
        let consents: Vec<Value> = notices.as_array().into_iter().flatten().filter(wanted).map(consent).collect();
        let intake = json!({
            "symptoms": case.symptoms, "onset": case.onset, "past_history": case.past_history, "description": case.description,
            "attachments": [],
        });
        let order = json!({
            "doctor_id": profile["id"], "kind": "advice", "channel": "text", "intake": intake, "consents": consents,
            "red_flag_acknowledged": true,
        });
        let created = self.post(patient, "/api/consultations", order).await?;
        let id = text(&created, "id")?;
        self.pass(1);
        let order = text(&created["order"], "id")?;
        let started = self.post(patient, &format!("/api/orders/{order}/payments"), json!({ "channel": "wechat" })).await?;
        self.pay(&text(&started, "prepay_id")?).await?;
        let paid = self.get(patient, &format!("/api/consultations/{id}")).await?;
        let conversation = text(&paid, "conversation_id")?.parse().map_err(|_| HistoryError::Incomplete("conversation_id"))?;
        Ok((id, conversation))
    }

    /// The simulated channel takes the money and its notices are handed over, as they would be over the network.
    async fn pay(&self, prepay_id: &str) -> Result<(), HistoryError> {
        let simulator = self.app.payments.simulator().ok_or(HistoryError::Incomplete("a simulated channel"))?;
        simulator.pay(prepay_id).map_err(|_| HistoryError::Incomplete("a payment to pay"))?;
        for delivery in simulator.take_deliveries() {
            let path = delivery.url.splitn(4, '/').nth(3).ok_or(HistoryError::Incomplete("a path"))?;
            let mut request = Request::post(format!("/{path}")).body(Body::from(delivery.body))?;
            request.headers_mut().extend(delivery.headers);
            self.answer(path, request).await?;
            simulator.note_taken(&delivery.notice);
        }
        outbox::run_due(&self.app).await?;
        Ok(())
    }

    async fn talk(&self, case: &Case, conversation: ConversationId, patient: Person, doctor: Person) -> Result<(), HistoryError> {
        for line in &case.talk {
            self.pass(3);
            let (who, text) = line.split_once(' ').ok_or(HistoryError::Incomplete("a speaker"))?;
            let Person(speaker, _) = if who == "D" { doctor } else { patient };
            let body = wire::body::Kind::Text(wire::Text { text: text.to_owned(), reply_to_seq: 0 });
            let id = self.app.entropy.id(self.app.clock.now());
            let draft = Draft { sender: Some(speaker), id, body: wire::Body { kind: Some(body) }, urgent: false };
            self.app.log.append(conversation, vec![draft], vec![Guard::SenderMaySpeak]).await?;
        }
        consultations::catch_up(&self.app).await.map_err(|error| HistoryError::Follow(causes(&error)))
    }

    async fn reviewed(&self, case: &Case, path: &str, patient: Person) -> Result<(), HistoryError> {
        let review = json!({ "score": case.score, "text": case.review, "tags": case.tags, "anonymous": true });
        self.post(patient, path, review).await?;
        self.pass(60);
        let reviewer = Person(self.people.reviewer, Role::Staff);
        let waiting = self.get(reviewer, "/api/admin/reviews?state=pending").await?;
        for review in waiting["items"].as_array().into_iter().flatten() {
            self.post(reviewer, &format!("/api/admin/reviews/{}/show", text(review, "id")?), Value::Null).await?;
        }
        Ok(())
    }

    /// What is weeks old is not news.
    async fn read_everything(&self, reader: Person, conversation: ConversationId) -> Result<(), HistoryError> {
        self.app.log.mark(conversation, reader.0, MarkKind::Read, u64::MAX).await?;
        self.post(reader, "/api/notifications/read-all", Value::Null).await?;
        Ok(())
    }

    async fn get(&self, person: Person, path: &str) -> Result<Value, HistoryError> {
        self.send(person, Method::GET, path, Value::Null).await
    }

    async fn post(&self, person: Person, path: &str, body: Value) -> Result<Value, HistoryError> {
        self.send(person, Method::POST, path, body).await
    }

    /// With a token of that moment: nobody's password is asked.
    async fn send(&self, Person(user, role): Person, method: Method, path: &str, body: Value) -> Result<Value, HistoryError> {
        let issued_at = self.app.clock.now();
        let expires_at = issued_at.plus_ms(MINUTE_MS);
        let claims = AccessClaims { user, session: self.app.entropy.id(issued_at), tenant: self.app.tenant, role, issued_at, expires_at };
        let token = self.app.tokens.mint(&claims).map_err(|_| HistoryError::Incomplete("a token"))?;
        let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        let request = match body {
            Value::Null => request.body(Body::empty())?,
            body => request.header("content-type", "application/json").body(Body::from(body.to_string()))?,
        };
        self.answer(path, request).await
    }

    async fn answer(&self, path: &str, request: Request<Body>) -> Result<Value, HistoryError> {
        let response = self.router.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), ANSWER_BYTES_MAX).await;
        let answer: Value = bytes.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        if status.is_success() {
            return Ok(answer);
        }
        let code = answer["code"].as_str().unwrap_or_default().to_owned();
        Err(HistoryError::Refused { path: path.to_owned(), status: status.as_u16(), code })
    }
}

fn consent(notice: &Value) -> Value {
    json!({ "kind": notice["kind"], "version": notice["version"], "text_hash": notice["text_hash"] })
}

fn text(object: &Value, name: &'static str) -> Result<String, HistoryError> {
    object[name].as_str().map(str::to_owned).ok_or(HistoryError::Incomplete(name))
}
