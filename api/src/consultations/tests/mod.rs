//! Consultations through the public API, on the demo hospital, with a clock that stands until it is moved.

mod closing;
mod doubles;
mod life;
mod paying;
mod random;
mod refusals;
mod timers;
mod transcript;

use super::{ConsultationId, Paid, catch_up, on_paid, queries, stored::Consultation};
use crate::{
    demo,
    testing::{TestApp, TestPerson},
};
use chat::{
    ids::{ConversationId, MessageId, UserId},
    log::{Draft, Guard, LogError, Outcome, head::Head},
    wire::{self, body::Kind as Body},
};
use serde_json::{Value, json};

pub(super) const MINUTE_MS: i64 = 60_000;
pub(super) const HOUR_MS: i64 = 60 * MINUTE_MS;

/// The demo hospital with one of its doctors and one patient signed in.
pub(super) async fn clinic() -> TestApp {
    // Demo tools off: what is tested are the rules of production.
    let test = TestApp::start_with(|config| config.demo = false).await;
    demo::fill(&test.app).await.unwrap();
    test
}

pub(super) async fn doctor(test: &TestApp) -> TestPerson<'_> {
    let body = json!({ "account": "doctor01", "password": demo::PASSWORD, "device": test.device() });
    TestPerson::of_session(test, &test.post("/api/auth/staff/login", body).await.ok())
}

/// Sessions of staff end after 30 idle minutes, access tokens after 10: a test that jumps signs in again.
pub(super) async fn patient_again<'a>(test: &'a TestApp, phone: &str) -> TestPerson<'a> {
    let body = json!({ "phone": phone, "password": crate::testing::PASSWORD, "device": test.device(), "remember": true });
    TestPerson::of_session(test, &test.post("/api/auth/login", body).await.ok())
}

pub(super) const PHONE: &str = "13611110001";

pub(super) async fn doctor_id(doctor: &TestPerson<'_>) -> Value {
    doctor.get("/api/doctor/profile").await.ok()["id"].clone()
}

pub(super) async fn consents(test: &TestApp) -> Value {
    let notices = test.get("/api/notices").await.ok();
    let wanted = ["scope_notice", "informed_consent"];
    let consents: Vec<Value> = notices
        .as_array()
        .unwrap()
        .iter()
        .filter(|notice| wanted.contains(&notice["kind"].as_str().unwrap()))
        .map(|notice| json!({ "kind": notice["kind"], "version": notice["version"], "text_hash": notice["text_hash"] }))
        .collect();
    json!(consents)
}

/// A body that is accepted; a test spoils one thing of it.
pub(super) async fn request(test: &TestApp, patient: &TestPerson<'_>, doctor: &TestPerson<'_>, kind: &str, channel: &str) -> Value {
    let mut body = json!({
        "doctor_id": doctor_id(doctor).await,
        "kind": kind,
        "channel": channel,
        "intake": { "symptoms": "咳嗽三天", "onset": "三天前", "past_history": "无", "description": "夜里加重,无发热", "attachments": [] },
        "consents": consents(test).await,
    });
    if kind == "return_visit" {
        body["proof"] = json!({
            "diagnosis": "高血压病2级", "institution": "市第一医院", "visited_on": "2026-05-31",
            "attachments": [patient.picture().await["id"]],
        });
    }
    body
}

/// Ordered and paid.
pub(super) async fn paid(test: &TestApp, patient: &TestPerson<'_>, doctor: &TestPerson<'_>, kind: &str, channel: &str) -> Value {
    let body = request(test, patient, doctor, kind, channel).await;
    let created = patient.post("/api/consultations", body).await.status(201).json();
    assert_eq!(pay(test, &created).await, Paid::Taken);
    created["id"].clone()
}

/// The money slices' word that the order was captured.
pub(super) async fn pay(test: &TestApp, created: &Value) -> Paid {
    let mut tx = test.app.db.begin().await.unwrap();
    let paid = on_paid(&test.app, &mut tx, id_of(&created["id"])).await.unwrap();
    test.app.commit(tx).await.unwrap();
    paid
}

pub(super) fn id_of(id: &Value) -> ConsultationId {
    id.as_str().unwrap().parse().unwrap()
}

pub(super) fn path(id: &Value, verb: &str) -> String {
    let slash = if verb.is_empty() { "" } else { "/" };
    format!("/api/consultations/{}{slash}{verb}", id.as_str().unwrap())
}

/// Ordered, paid and accepted.
pub(super) async fn accepted(test: &TestApp, patient: &TestPerson<'_>, doctor: &TestPerson<'_>) -> Value {
    let id = paid(test, patient, doctor, "advice", "text").await;
    doctor.post(&path(&id, "accept"), json!({})).await.ok();
    id
}

pub(super) async fn stored(test: &TestApp, id: &Value) -> Consultation {
    queries::get_unscoped(&test.app.db, id_of(id)).await.unwrap().unwrap()
}

pub(super) async fn head(test: &TestApp, id: &Value) -> Head {
    test.app.log.head(stored(test, id).await.conversation).await.unwrap().unwrap()
}

pub(super) async fn entries(test: &TestApp, id: &Value) -> Vec<wire::Entry> {
    let conversation = stored(test, id).await.conversation;
    test.app.log.read(conversation, 1, 200).await.unwrap().iter().map(|entry| wire::Entry::clone(entry)).collect()
}

/// As the socket does it for somebody's send.
pub(super) async fn say(test: &TestApp, id: &Value, sender: UserId, text: &str) -> Result<Outcome, LogError> {
    let body = wire::Body { kind: Some(Body::Text(wire::Text { text: text.into(), reply_to_seq: 0 })) };
    let message: MessageId = test.app.entropy.id(test.app.clock.now());
    let draft = Draft { sender: Some(sender), id: message, body, urgent: false };
    let conversation: ConversationId = stored(test, id).await.conversation;
    test.app.log.append(conversation, vec![draft], vec![Guard::SenderMaySpeak]).await
}

/// The doctor answers and SQL hears of it.
pub(super) async fn reply(test: &TestApp, id: &Value, doctor: &TestPerson<'_>) {
    say(test, id, doctor.user, "您好,请问有没有发热?").await.unwrap();
    catch_up(&test.app).await.unwrap();
}

pub(super) async fn write_record(doctor: &TestPerson<'_>, id: &Value) -> Value {
    let record = json!({ "version": 0, "impression": "上呼吸道感染可能", "advice": "多饮水,休息,三天不缓解请就诊" });
    doctor.put(&path(id, "record"), record).await.ok()
}

pub(super) async fn count(test: &TestApp, statement: crate::db::Statement) -> i64 {
    test.app.db.scalar(statement).await.unwrap().unwrap()
}

/// D.11-15: how many live timers the object has.
pub(super) async fn timers_of(test: &TestApp, id: &Value) -> i64 {
    let count = test.app.db.scalar(crate::sql!("SELECT COUNT(*) FROM timers WHERE object = $1", id_of(id))).await.unwrap();
    count.unwrap()
}

/// The conversation's newest word about the consultation: state and reason.
pub(super) fn last_change(entries: &[wire::Entry]) -> Option<wire::ConsultationChange> {
    entries.iter().rev().find_map(|entry| match entry.body.as_ref()?.kind.as_ref()? {
        Body::Consultation(change) => Some(change.clone()),
        _ => None,
    })
}
