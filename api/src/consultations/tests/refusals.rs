//! What is refused, and to whom a consultation does not exist.

use super::*;
use chat::log::head::ConversationState;

/// CON-12: the reason is required, the patient reads it, the conversation closes.
#[tokio::test]
async fn con_12_a_rejection_names_its_reason() {
    let test = clinic().await;
    let (doctor, patient) = (doctor(&test).await, test.patient(PHONE).await);
    let id = paid(&test, &patient, &doctor, "advice", "text").await;
    doctor.post(&path(&id, "reject"), json!({ "reason": "  " })).await.refused(422, "reason_missing");
    assert_eq!(doctor.post(&path(&id, "reject"), json!({ "reason": "不在我的专业范围" })).await.ok()["state"], "rejected");
    assert_eq!(patient.get(&path(&id, "")).await.ok()["reject_reason"], "不在我的专业范围");
    let change = last_change(&entries(&test, &id).await).unwrap();
    assert_eq!((change.reason.as_str(), change.detail.as_str()), ("rejected", "不在我的专业范围"));
    assert_eq!(head(&test, &id).await.state, ConversationState::Closed);
    doctor.post(&path(&id, "accept"), json!({})).await.refused(409, "wrong_state");
}

/// REG-05: a coded reason; the guidance stands in the conversation before it closes.
#[tokio::test]
async fn reg_05_termination_sends_the_patient_somewhere() {
    let test = clinic().await;
    let (doctor, patient) = (doctor(&test).await, test.patient(PHONE).await);
    let id = accepted(&test, &patient, &doctor).await;
    doctor.post(&path(&id, "terminate"), json!({ "reason_code": "bored" })).await.refused(422, "invalid_field");
    doctor.post(&path(&id, "terminate"), json!({ "reason_code": "emergency", "detail": "胸痛加重" })).await.ok();
    let shown = patient.get(&path(&id, "")).await.ok();
    assert_eq!((shown["state"].as_str(), shown["terminate_reason"]["code"].as_str()), (Some("terminated"), Some("emergency")));
    let said = entries(&test, &id).await;
    let guidance = said.iter().find_map(|entry| match entry.body.as_ref()?.kind.as_ref()? {
        Body::Notice(notice) => Some(notice.text.clone()),
        _ => None,
    });
    assert!(guidance.unwrap().contains("120"));
    assert_eq!(last_change(&said).unwrap().reason, "terminated");
}

/// REG-07, CON-23, CON-02, D.1: each missing thing has its code and leaves nothing behind.
#[tokio::test]
async fn reg_07_an_order_needs_consents_intake_and_an_open_doctor() {
    let test = clinic().await;
    let (doctor, patient) = (doctor(&test).await, test.patient(PHONE).await);
    let good = request(&test, &patient, &doctor, "advice", "text").await;
    let spoiled = |change: &dyn Fn(&mut Value)| {
        let mut body = good.clone();
        change(&mut body);
        body
    };
    let try_one = async |body: Value| patient.post("/api/consultations", body).await;
    try_one(spoiled(&|body| body["consents"] = json!([]))).await.refused(409, "consent_required");
    try_one(spoiled(&|body| body["consents"][0]["version"] = json!("0"))).await.refused(409, "consent_outdated");
    try_one(spoiled(&|body| body["intake"]["symptoms"] = json!(""))).await.refused(422, "invalid_field");
    try_one(spoiled(&|body| body["intake"]["description"] = json!("字".repeat(2001)))).await.refused(422, "invalid_field");
    try_one(spoiled(&|body| body["intake"]["symptoms"] = json!("突然呼吸困难"))).await.refused(409, "red_flag");
    try_one(spoiled(&|body| body["price_fen"] = json!(1))).await.refused(409, "price_changed");
    try_one(spoiled(&|body| body["doctor_id"] = json!("0190a5c8-7c1e-7b3a-9f0e-2f4b8d1c6a55"))).await.refused(404, "not_found");
    try_one(spoiled(&|body| body["kind"] = json!("diagnosis"))).await.refused(422, "invalid_field");
    doctor.put("/api/doctor/availability", json!({ "accepting": false })).await.ok();
    try_one(good.clone()).await.refused(409, "doctor_not_accepting");
    assert_eq!(patient.get("/api/consultations").await.ok()["total"], 0);
}

/// Other people's consultations, records and conversations do not exist; wrong roles are refused before.
#[tokio::test]
async fn other_peoples_consultations_do_not_exist() {
    let test = clinic().await;
    let (doctor, patient) = (doctor(&test).await, test.patient(PHONE).await);
    let stranger = test.patient("13611110002").await;
    let body = json!({ "account": "doctor02", "password": demo::PASSWORD, "device": test.device() });
    let other_doctor = TestPerson::of_session(&test, &test.post("/api/auth/staff/login", body).await.ok());
    let id = accepted(&test, &patient, &doctor).await;
    let conversation = stored(&test, &id).await.conversation;
    for person in [&stranger, &other_doctor] {
        for verb in ["", "record", "record.pdf"] {
            person.get(&path(&id, verb)).await.refused(404, "not_found");
        }
        person.get(&format!("/api/conversations/{conversation}/entries")).await.refused(404, "not_found");
        person.get(&format!("/api/conversations/{conversation}/transcript")).await.refused(404, "not_found");
    }
    other_doctor.act(&path(&id, "end")).await.refused(404, "not_found");
    stranger.act(&path(&id, "cancel")).await.refused(404, "not_found");
    stranger.act(&path(&id, "end")).await.refused(403, "not_permitted");
    doctor.act(&path(&id, "cancel")).await.refused(403, "not_permitted");
    test.get(&path(&id, "")).await.refused(401, "unauthenticated");
    let page = patient.get(&format!("/api/conversations/{conversation}/entries?limit=2")).await.ok();
    assert_eq!(page["entries"].as_array().unwrap().len(), 2);
    for limit in ["0", "201", "1000"] {
        let path = format!("/api/conversations/{conversation}/entries?limit={limit}");
        let problem = patient.get(&path).await.refused(422, "invalid_field");
        assert_eq!((&problem["fields"][0]["path"], &problem["fields"][0]["code"]), (&json!("limit"), &json!("out_of_range")));
    }
    patient.get(&format!("/api/conversations/{conversation}/entries?limit=200")).await.ok();
    let whole = doctor.get(&format!("/api/conversations/{conversation}/transcript")).await.ok();
    assert_eq!(whole["entries"].as_array().unwrap().len() as u64, whole["head_seq"].as_u64().unwrap());
}

/// REG-02, X-03, D.0: no diagnosis on advice; a draft is saved over the version it was made from; a signed record stands.
#[tokio::test]
async fn reg_02_an_advice_record_takes_no_diagnosis() {
    let test = clinic().await;
    let (doctor, patient) = (doctor(&test).await, test.patient(PHONE).await);
    let id = accepted(&test, &patient, &doctor).await;
    let problem = doctor.put(&path(&id, "record"), json!({ "version": 0, "diagnosis": "肺炎" })).await.refused(422, "invalid_field");
    assert_eq!(problem["fields"][0]["path"], "diagnosis");
    assert_eq!(write_record(&doctor, &id).await["version"], 1);
    doctor.put(&path(&id, "record"), json!({ "version": 0, "advice": "x" })).await.refused(409, "version_conflict");
    patient.put(&path(&id, "record"), json!({ "version": 1 })).await.refused(403, "not_permitted");
    doctor.act(&path(&id, "end")).await.ok();
    doctor.put(&path(&id, "record"), json!({ "version": 1, "advice": "x" })).await.refused(409, "record_signed");
}

/// REG-13: what is shown as the doctor's comes from the doctor's own membership; nobody else gets that role.
#[tokio::test]
async fn reg_13_only_the_doctor_speaks_as_doctor() {
    let test = clinic().await;
    let (doctor, patient) = (doctor(&test).await, test.patient(PHONE).await);
    let id = accepted(&test, &patient, &doctor).await;
    say(&test, &id, patient.user, "我是医生").await.unwrap();
    say(&test, &id, doctor.user, "您好").await.unwrap();
    let roles: Vec<(String, i32)> = entries(&test, &id)
        .await
        .into_iter()
        .filter(|entry| !entry.sender.is_empty())
        .map(|entry| (entry.sender, entry.sender_role))
        .collect();
    assert_eq!(
        roles,
        [(patient.user.to_string(), i32::from(wire::SenderRole::Patient)), (doctor.user.to_string(), i32::from(wire::SenderRole::Doctor))]
    );
    let stranger = test.patient("13611110002").await;
    assert!(say(&test, &id, stranger.user, "我也是医生").await.is_err());
}

/// D.11-10: each read by the doctor leaves a row; the patient's own does not.
#[tokio::test]
async fn d_11_10_a_doctors_read_leaves_a_row() {
    let test = clinic().await;
    let (doctor, patient) = (doctor(&test).await, test.patient(PHONE).await);
    let id = paid(&test, &patient, &doctor, "advice", "text").await;
    let reads = async || -> i64 {
        test.app
            .db
            .scalar(crate::sql!("SELECT COUNT(*) FROM clinical_reads WHERE consultation_id = $1", id_of(&id)))
            .await
            .unwrap()
            .unwrap()
    };
    patient.get(&path(&id, "")).await.ok();
    assert_eq!(reads().await, 0);
    doctor.get(&path(&id, "")).await.ok();
    assert_eq!(reads().await, 1);
    doctor.post(&path(&id, "accept"), json!({})).await.ok();
    let conversation = stored(&test, &id).await.conversation;
    let history = ["entries", "transcript"].map(|what| format!("/api/conversations/{conversation}/{what}"));
    for path in &history {
        patient.get(path).await.ok();
    }
    assert_eq!(reads().await, 1, "one's own history");
    for (path, count) in history.iter().zip([2, 3]) {
        doctor.get(path).await.ok();
        assert_eq!(reads().await, count, "{path}");
    }
    doctor.get(&format!("{}?limit=201", history[0])).await.refused(422, "invalid_field");
    assert_eq!(reads().await, 3, "nothing was read");
    doctor.get("/api/doctor/consultations?list=in_progress").await.ok();
    assert_eq!(reads().await, 4);
    let report = crate::records::verify_reads(&test.app.db).await.unwrap();
    assert_eq!((report.chained, report.findings), (4, vec![]));
}
