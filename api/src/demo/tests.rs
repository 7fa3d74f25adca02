use super::*;
use crate::testing::TestApp;
use chat::ids::Timestamp;
use serde_json::json;

/// The measure of a believable hospital.
#[tokio::test]
async fn the_hospital_has_what_a_hospital_needs() {
    let test = TestApp::start().await;
    assert!(fill(&test.app).await.unwrap());
    let departments = test.get("/api/departments").await.ok();
    assert!(departments.as_array().unwrap().len() >= 12);
    assert!(departments.as_array().unwrap().iter().all(|department| department["doctor_count"].as_i64() >= Some(3)));
    assert!(test.get("/api/diseases").await.ok().as_array().unwrap().len() >= 80);
    assert!(test.get("/api/doctors").await.ok()["total"].as_i64() >= Some(40));
    assert!(!fill(&test.app).await.unwrap(), "an installation that has a hospital is left alone");
    assert!(test.get("/api/doctors").await.ok()["total"].as_i64() >= Some(40));
}

#[tokio::test]
async fn two_demos_have_the_same_ids() {
    let (one, other) = (TestApp::start().await, TestApp::start().await);
    other.app.clock.advance_ms(86_400_000);
    fill(&one.app).await.unwrap();
    fill(&other.app).await.unwrap();
    let ids = |page: serde_json::Value| {
        let mut ids: Vec<String> = page["items"].as_array().unwrap().iter().map(|doctor| doctor["id"].to_string()).collect();
        ids.sort_unstable();
        ids
    };
    let path = "/api/doctors?page_size=50";
    assert_eq!(ids(one.get(path).await.ok()), ids(other.get(path).await.ok()));
}

#[tokio::test]
async fn every_printed_account_can_sign_in() {
    let test = TestApp::start().await;
    fill(&test.app).await.unwrap();
    for account in accounts() {
        let device = test.device();
        let answer = match account.role {
            "patient" => {
                let body = json!({ "phone": account.sign_in, "password": PASSWORD, "device": device, "remember": true });
                test.post("/api/auth/login", body).await
            }
            _ => test.post("/api/auth/staff/login", json!({ "account": account.sign_in, "password": PASSWORD, "device": device })).await,
        };
        assert_eq!(answer.ok()["user"]["name"], account.name, "{}", account.sign_in);
    }
}

/// At any hour of any day somebody of every department may be online.
#[tokio::test]
async fn every_department_has_an_open_doctor_at_any_hour() {
    let test = TestApp::start().await;
    fill(&test.app).await.unwrap();
    let doctors = test.get("/api/doctors?page_size=50").await.ok();
    let mut open_all_week: Vec<String> = Vec::new();
    for doctor in doctors["items"].as_array().unwrap() {
        let page = test.get(&format!("/api/doctors/{}", doctor["id"].as_str().unwrap())).await.ok();
        let minutes: i64 = page["hours"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["end_minute"].as_i64().unwrap() - it["start_minute"].as_i64().unwrap())
            .sum();
        if minutes == 7 * 24 * 60 {
            open_all_week.push(page["department"]["name"].as_str().unwrap().to_owned());
        }
    }
    open_all_week.sort_unstable();
    open_all_week.dedup();
    assert_eq!(open_all_week.len(), hospital::hospital().departments.len());
}

#[tokio::test]
async fn names_can_be_printed_and_prices_are_those_of_a_demo() {
    let test = TestApp::start().await;
    fill(&test.app).await.unwrap();
    let content = hospital::hospital();
    for name in content.numbered_doctors().map(|(_, _, doctor)| &doctor.name).chain(content.patients.iter().map(|patient| &patient.name)) {
        assert_eq!(crate::records::pdf::find_unprintable(name, crate::records::pdf::Fonts::embedded()), None, "{name}");
    }
    let doctors = test.get("/api/doctors?page_size=50").await.ok();
    for price in doctors["items"].as_array().unwrap().iter().flat_map(|doctor| doctor["prices"].as_array().unwrap()) {
        assert!((100..=30_000).contains(&price["amount_fen"].as_i64().unwrap()), "{price}");
    }
    let announcements = test.get("/api/home").await.ok();
    assert!(Timestamp(announcements["announcements"][0]["published_at"].as_i64().unwrap()) <= test.app.clock.now());
}

/// The patients have a past: records to read, ratings that follow from reviews, an even ledger and a log that verifies.
#[tokio::test]
async fn the_past_is_whole_and_verifies() {
    let test = TestApp::start_on_history().await;
    let doctors = test.get("/api/doctors?page_size=50").await.ok();
    let rated = doctors["items"].as_array().unwrap().iter().filter(|doctor| doctor["rating_count"].as_i64() > Some(0)).count();
    assert!(rated >= 4, "{rated} doctors have ratings");
    let body = json!({ "phone": "13800000001", "password": PASSWORD, "device": test.device(), "remember": true });
    let session = test.post("/api/auth/login", body).await.status(200).json();
    let patient = crate::testing::TestPerson::of_session(&test, &session);
    let records = patient.get("/api/records").await.ok();
    assert_eq!(records["total"], 2);
    let id = records["items"][0]["consultation_id"].as_str().unwrap().to_owned();
    patient.get(&format!("/api/consultations/{id}/record.pdf")).await.status(200);
    let done = patient.get("/api/consultations?group=done").await.ok();
    assert!(done["items"][0]["ended_at"].as_i64() < Some(test.app.clock.now().0 - 2 * 86_400_000), "it lies in the past");
    assert_eq!(patient.get("/api/notifications/unread-count").await.ok()["unread"], 0);
    let books = crate::ledger::verify(&test.app.db).await.unwrap();
    assert!(books.is_sound() && books.captured_fen > 0, "{:?}", books.findings);
    let channel = test.app.payments.simulator().unwrap().totals_fen();
    assert_eq!((books.captured_fen, books.refunded_fen), channel);
}
