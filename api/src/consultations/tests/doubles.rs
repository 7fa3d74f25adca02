//! `Idempotency-Key` on the order of a consultation (DOMAIN D.0).

use super::*;

/// D.0: the same key and body is one consultation, also after a restart; another body under that key is refused.
#[tokio::test]
async fn a_double_submit_has_one_effect() {
    let test = clinic().await;
    let (doctor, patient) = (doctor(&test).await, test.patient(PHONE).await);
    let mut body = request(&test, &patient, &doctor, "advice", "text").await;
    let first = patient.post_keyed("/api/consultations", "k1", body.clone()).await.status(201).json();
    let again = patient.post_keyed("/api/consultations", "k1", body.clone()).await.status(201).json();
    assert_eq!(first, again, "the first answer, word for word");
    let token = patient.access_token.clone();
    drop((doctor, patient));
    let test = test.restart().await;
    let send = |body: Value| {
        let token = token.clone();
        let test = &test;
        async move { test.send(http::Method::POST, "/api/consultations", Some(&token), &[("idempotency-key", "k1")], Some(body)).await }
    };
    assert_eq!(send(body.clone()).await.status(201).json()["id"], first["id"]);
    body["intake"]["onset"] = json!("四天前");
    send(body).await.refused(409, "idempotency_conflict");
    let own = test.send(http::Method::GET, "/api/consultations", Some(&token), &[], None).await.ok();
    assert_eq!(own["total"], 1);
}

/// D.0: two at the same moment are one; the row is the lock on both engines.
#[tokio::test]
async fn two_at_once_are_one() {
    let test = clinic().await;
    let (doctor, patient) = (doctor(&test).await, test.patient(PHONE).await);
    let body = request(&test, &patient, &doctor, "advice", "text").await;
    let sends = (0..6).map(|_| patient.post_keyed("/api/consultations", "k1", body.clone()));
    let answers = futures_util::future::join_all(sends).await;
    let ids: std::collections::HashSet<String> = answers.into_iter().map(|answer| answer.status(201).json()["id"].to_string()).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(patient.get("/api/consultations").await.ok()["total"], 1);
}

/// D.0: a refused request leaves its key free, and a key belongs to the person who used it.
#[tokio::test]
async fn a_refusal_uses_no_key_up_and_keys_are_personal() {
    let test = clinic().await;
    let (doctor, patient, other) = (doctor(&test).await, test.patient(PHONE).await, test.patient("13611110002").await);
    let good = request(&test, &patient, &doctor, "advice", "text").await;
    let mut bad = good.clone();
    bad["intake"]["symptoms"] = json!("");
    patient.post_keyed("/api/consultations", "k1", bad).await.refused(422, "invalid_field");
    let first = patient.post_keyed("/api/consultations", "k1", good.clone()).await.status(201).json();
    let others = other.post_keyed("/api/consultations", "k1", good).await.status(201).json();
    assert_ne!(first["id"], others["id"]);
    assert_eq!(other.get("/api/consultations").await.ok()["total"], 1);
}

/// D.0: what the key was used for counts before what the business says now: a repeat has its answer although the doctor takes nobody any
/// more, and another body is that, not an offer that does not exist.
#[tokio::test]
async fn the_key_is_looked_at_before_the_business() {
    let test = clinic().await;
    let (doctor, patient) = (doctor(&test).await, test.patient(PHONE).await);
    let body = request(&test, &patient, &doctor, "advice", "text").await;
    let first = patient.post_keyed("/api/consultations", "k1", body.clone()).await.status(201).json();
    doctor.put("/api/doctor/prices", json!([])).await.ok();
    doctor.put("/api/doctor/availability", json!({ "accepting": false })).await.ok();
    assert_eq!(patient.post_keyed("/api/consultations", "k1", body.clone()).await.status(201).json()["id"], first["id"]);
    for (name, other) in [("channel", json!("voice")), ("kind", json!("return_visit")), ("consents", json!([])), ("price_fen", json!(1))] {
        let mut other_body = body.clone();
        other_body[name] = other;
        patient.post_keyed("/api/consultations", "k1", other_body).await.refused(409, "idempotency_conflict");
    }
    patient.post_keyed("/api/consultations", "k2", body).await.refused(409, "doctor_not_accepting");
}
