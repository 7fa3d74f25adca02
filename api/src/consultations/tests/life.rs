//! A whole consultation of each kind.

use super::{
    super::{machine::Event, transition},
    *,
};
use chat::log::head::ConversationState;

/// S1, CON-01, CON-02, CON-06, CON-11, CON-14, CON-15, REC-01, REC-02, REC-04, REV-01, REV-02, DOC-01 to DOC-03.
#[tokio::test]
async fn s1_from_intake_to_review() {
    let test = clinic().await;
    let (doctor, patient) = (doctor(&test).await, test.patient(PHONE).await);
    let created = patient.post("/api/consultations", request(&test, &patient, &doctor, "advice", "text").await).await.status(201).json();
    let id = created["id"].clone();
    assert_eq!((created["state"].as_str(), created["conversation_id"].is_null()), (Some("created"), true));
    assert_eq!((created["can"]["pay"].clone(), created["can"]["cancel"].clone()), (json!(true), json!(true)));
    doctor.get(&path(&id, "")).await.refused(404, "not_found");
    assert_eq!(pay(&test, &created).await, Paid::Taken);

    let waiting = doctor.get("/api/doctor/consultations?list=waiting").await.ok();
    assert_eq!((waiting["total"].clone(), waiting["items"][0]["id"].clone()), (json!(1), id.clone()));
    assert_eq!(waiting["items"][0]["condition_summary"], "咳嗽三天");
    assert_eq!(waiting["items"][0]["channel"], "text", "DOC-04: kinds are marked");
    assert_eq!(doctor.get("/api/doctor/counts").await.ok()["waiting_text"], 1);
    assert!(say(&test, &id, patient.user, "补充:昨晚开始咽痛").await.is_ok(), "while waiting the patient adds to the intake");
    assert!(say(&test, &id, doctor.user, "您好").await.is_err(), "the doctor is no member before he accepts");

    let accepted = doctor.post(&path(&id, "accept"), json!({})).await.ok();
    assert_eq!((accepted["state"].as_str(), accepted["can"]["message"].clone()), (Some("in_progress"), json!(true)));
    let head_now = head(&test, &id).await;
    assert_eq!(head_now.state, ConversationState::Open);
    let member = head_now.members.iter().find(|member| member.user == doctor.user).unwrap();
    assert_eq!(member.visible_from, 1, "a doctor who accepts later sees from the first entry");
    assert_eq!(doctor.get("/api/doctor/consultations?list=in_progress").await.ok()["items"][0]["unread"], 1);

    reply(&test, &id, &doctor).await;
    assert!(patient.get(&path(&id, "")).await.ok()["first_reply_deadline_at"].is_null(), "the promise is kept");
    let list = patient.get("/api/consultations?group=active").await.ok();
    assert_eq!((list["items"][0]["unread"].clone(), list["items"][0]["last_line"].clone()), (json!(1), json!("您好,请问有没有发热?")));

    doctor.act(&path(&id, "end")).await.refused(409, "record_incomplete");
    write_record(&doctor, &id).await;
    patient.get(&path(&id, "record")).await.refused(404, "not_found");
    let ended = doctor.act(&path(&id, "end")).await.ok();
    assert_eq!(ended["state"], "ended");
    assert_eq!(head(&test, &id).await.state, ConversationState::Closed);
    assert!(say(&test, &id, patient.user, "谢谢").await.is_err());

    let record = patient.get(&path(&id, "record")).await.ok();
    assert_eq!((record["impression"].as_str(), record["completed_at"].is_i64()), (Some("上呼吸道感染可能"), true));
    assert_eq!(patient.get("/api/records").await.ok()["items"][0]["summary"], "上呼吸道感染可能");
    let pdf = patient.get(&path(&id, "record.pdf")).await.status(200);
    assert!(pdf.body.starts_with(b"%PDF"));
    assert_eq!(doctor.get("/api/doctor/consultations?list=completed").await.ok()["total"], 1);
    review(&test, &patient, &doctor, &id).await;
}

/// REV-01, REV-02, REV-05, X-17: once, moderated, anonymous, counted when shown.
async fn review(test: &TestApp, patient: &TestPerson<'_>, doctor: &TestPerson<'_>, id: &Value) {
    let body = json!({ "score": 5, "text": "很耐心", "tags": ["耐心"], "anonymous": true });
    doctor.post(&path(id, "reviews"), body.clone()).await.refused(403, "not_permitted");
    patient.post(&path(id, "reviews"), json!({ "score": 6 })).await.refused(422, "invalid_field");
    assert_eq!(patient.post(&path(id, "reviews"), body.clone()).await.status(201).json()["state"], "pending");
    patient.post(&path(id, "reviews"), body).await.refused(409, "already_reviewed");
    let card = format!("/api/doctors/{}", doctor_id(doctor).await.as_str().unwrap());
    assert!(test.get(&card).await.ok()["rating"].is_null());
    let reviewer = test.staff("moderator", chat::ids::Role::Staff, &[crate::accounts::StaffFunction::Reviewer]).await;
    patient.get("/api/admin/reviews").await.refused(403, "not_permitted");
    let pending = reviewer.get("/api/admin/reviews?state=pending").await.ok();
    let shown = pending["items"][0]["id"].as_str().unwrap().to_owned();
    assert!(!pending.to_string().contains(&patient.user.to_string()), "X-17: nobody is told who wrote it");
    reviewer.act(&format!("/api/admin/reviews/{shown}/show")).await.status(204);
    assert_eq!(test.get(&card).await.ok()["rating"], 5.0);
    let public = test.get(&format!("{card}/reviews")).await.ok();
    assert_eq!(public["total"], 0, "X-17: held back while it is the only one of the period");
    reviewer.post(&format!("/api/admin/reviews/{shown}/hide"), json!({ "reason": "广告" })).await.status(204);
    assert!(test.get(&card).await.ok()["rating"].is_null());
}

/// REG-03, REC-04: proof with the order, the doctor's judgement at accept, diagnosis in the record.
#[tokio::test]
async fn reg_03_a_return_visit_begins_with_proof_and_judgement() {
    let test = clinic().await;
    let (doctor, patient) = (doctor(&test).await, test.patient(PHONE).await);
    let mut body = request(&test, &patient, &doctor, "return_visit", "text").await;
    body.as_object_mut().unwrap().remove("proof");
    patient.post("/api/consultations", body).await.refused(422, "proof_missing");
    let id = paid(&test, &patient, &doctor, "return_visit", "text").await;
    doctor.post(&path(&id, "accept"), json!({})).await.refused(409, "return_visit_conditions_not_met");
    doctor
        .post(&path(&id, "accept"), json!({ "meets_return_visit_conditions": false }))
        .await
        .refused(409, "return_visit_conditions_not_met");
    doctor.post(&path(&id, "accept"), json!({ "meets_return_visit_conditions": true })).await.ok();
    assert_eq!(stored(&test, &id).await.meets_conditions, Some(true));
    let shown = doctor.get(&path(&id, "")).await.ok();
    assert_eq!(shown["proof"]["institution"], "市第一医院", "CON-13: the doctor sees what was handed in");
    let draft = json!({ "version": 0, "diagnosis": "高血压病2级", "basis": "血压记录", "advice": "继续服药" });
    doctor.put(&path(&id, "record"), draft).await.ok();
    assert_eq!(doctor.act(&path(&id, "end")).await.ok()["state"], "ended");
}

/// CON-15: two free follow-ups to the same doctor, linked, with consents of their own (REG-07).
#[tokio::test]
async fn con_15_two_free_follow_ups() {
    let test = clinic().await;
    let (doctor, patient) = (doctor(&test).await, test.patient(PHONE).await);
    let id = accepted(&test, &patient, &doctor).await;
    patient.post(&path(&id, "continue"), json!({})).await.refused(409, "wrong_state");
    write_record(&doctor, &id).await;
    doctor.act(&path(&id, "end")).await.ok();
    assert_eq!(patient.get(&path(&id, "")).await.ok()["follow_ups_left"], 2);
    let child = patient.post(&path(&id, "continue"), json!({ "text": "药吃完了,还要继续吗" })).await.status(201).json();
    assert_eq!(
        (child["state"].as_str(), child["parent_id"].clone(), child["price_fen"].clone()),
        (Some("paid_waiting"), id.clone(), json!(0))
    );
    assert_eq!(queries::consents(&test.app.db, id_of(&child["id"])).await.unwrap().len(), 2);
    patient.post(&path(&child["id"], "continue"), json!({})).await.refused(409, "wrong_state");
    patient.post(&path(&id, "continue"), json!({})).await.status(201);
    patient.post(&path(&id, "continue"), json!({})).await.refused(409, "no_follow_up_left");
    // One that came to nothing gives the quota back.
    doctor.post(&path(&child["id"], "reject"), json!({ "reason": "请到门诊复查" })).await.ok();
    patient.post(&path(&id, "continue"), json!({})).await.status(201);
}

/// CON-08: no call before both have accepted the notice; only the channel that was bought.
#[tokio::test]
async fn con_08_calls_wait_for_both_consents() {
    let test = clinic().await;
    let (doctor, patient) = (doctor(&test).await, test.patient(PHONE).await);
    let id = paid(&test, &patient, &doctor, "advice", "voice").await;
    doctor.post(&path(&id, "accept"), json!({})).await.ok();
    let conversation = stored(&test, &id).await.conversation;
    let may = async |media| {
        let call = test.app.entropy.id(test.app.clock.now());
        let (inviter, callee) = (patient.user, doctor.user);
        let request = signaling::gate::CallRequest { step: signaling::gate::Step::Invite, call, conversation, inviter, callee, media };
        super::super::permit_call(test.app.clone(), request).await.map_err(|code| code.as_str())
    };
    assert_eq!(may(wire::CallMedia::Voice).await, Err("consent_required"));
    let notices = test.get("/api/notices").await.ok();
    let av = notices.as_array().unwrap().iter().find(|notice| notice["kind"] == "av_notice").unwrap().clone();
    let given = json!({ "version": av["version"], "text_hash": av["text_hash"] });
    patient.post(&path(&id, "av-consent"), json!({ "version": "0", "text_hash": "00" })).await.refused(409, "consent_outdated");
    patient.post(&path(&id, "av-consent"), given.clone()).await.ok();
    assert_eq!(may(wire::CallMedia::Voice).await, Err("consent_required"));
    doctor.post(&path(&id, "av-consent"), given).await.ok();
    assert_eq!(may(wire::CallMedia::Voice).await, Ok(()));
    assert_eq!(may(wire::CallMedia::Video).await, Err("no_calls"));
    let said = entries(&test, &id).await;
    let in_log =
        said.iter().filter(|entry| matches!(&entry.body.as_ref().unwrap().kind, Some(Body::Consent(given)) if given.kind == "av_notice"));
    assert_eq!(in_log.count(), 2, "consents are entries of the conversation");
}

/// SQL is a moment ahead of the log. A conversation is named to somebody only once he can speak in it or read it: what is named never
/// answers `unknown_conversation`.
#[tokio::test]
async fn a_conversation_is_named_once_it_is_there() {
    let test = clinic().await;
    let (doctor, patient) = (doctor(&test).await, test.patient(PHONE).await);
    let body = request(&test, &patient, &doctor, "advice", "text").await;
    let created = patient.post("/api/consultations", body).await.status(201).json();
    let id = created["id"].clone();
    let shown_to = async |person: &TestPerson<'_>| person.get(&path(&id, "")).await.ok()["conversation_id"].clone();
    // Committed, and the process is killed before the log hears of it.
    let mut tx = test.app.db.begin().await.unwrap();
    assert_eq!(on_paid(&test.app, &mut tx, id_of(&id)).await.unwrap(), Paid::Taken);
    tx.commit().await.unwrap();
    assert_eq!(patient.get(&path(&id, "")).await.ok()["state"], "paid_waiting");
    assert_eq!(shown_to(&patient).await, Value::Null);
    test.advance_ms(2 * MINUTE_MS).await;
    let conversation = json!(stored(&test, &id).await.conversation);
    assert_eq!(shown_to(&patient).await, conversation);
    assert_eq!(shown_to(&doctor).await, Value::Null, "he reads the intake, not the talk");
    let mut tx = test.app.db.begin().await.unwrap();
    let it = queries::find_unscoped(&mut tx, id_of(&id)).await.unwrap().unwrap();
    let accept = Event::Accept { meets_return_visit_conditions: None };
    transition::step(&test.app, &mut tx, it, &accept, Some(doctor.user)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(doctor.get(&path(&id, "")).await.ok()["state"], "in_progress");
    assert_eq!(shown_to(&doctor).await, Value::Null, "not a member yet");
    test.advance_ms(2 * MINUTE_MS).await;
    assert_eq!(shown_to(&doctor).await, conversation);
    say(&test, &id, doctor.user, "您好").await.unwrap();
}
