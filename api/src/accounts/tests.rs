use crate::testing::{PASSWORD, TestApp, TestPerson};
use chat::ids::Role;
use serde_json::json;

const PHONE: &str = "13800000001";
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

async fn ask_code(test: &TestApp, phone: &str, purpose: &str) -> crate::testing::Answer {
    let answer = test.post("/api/auth/sms-codes", json!({ "phone": phone, "purpose": purpose })).await;
    test.settle().await;
    answer
}

async fn log_in(test: &TestApp, password: &str, device: &serde_json::Value) -> crate::testing::Answer {
    test.post("/api/auth/login", json!({ "phone": PHONE, "password": password, "device": device, "remember": true })).await
}

/// ACC-01, ACC-11: code, password, account; ACC-06: then the password signs in.
#[tokio::test]
async fn a_patient_registers_by_phone_and_signs_in_by_password() {
    let test = TestApp::start().await;
    let patient = test.patient(PHONE).await;
    let me = patient.get("/api/me").await.ok();
    assert_eq!(
        (me["name"].as_str(), me["phone_masked"].as_str(), me["role"].as_str()),
        (Some("张伟"), Some("138****0001"), Some("patient"))
    );
    log_in(&test, PASSWORD, &test.device()).await.status(200);
    log_in(&test, "wrong-horse-9", &test.device()).await.refused(401, "credentials_wrong");
}

/// ACC-01, ACC-11: a wrong, expired or used-up code makes no account.
#[tokio::test]
async fn without_a_valid_code_no_account_is_made() {
    let test = TestApp::start().await;
    let register = |code: &str| json!({ "phone": PHONE, "code": code, "password": PASSWORD, "device": test.device() });
    test.post("/api/auth/register", register("000000")).await.refused(422, "invalid_code");
    ask_code(&test, PHONE, "register").await.status(202);
    let code = test.sms_code(PHONE).unwrap();
    let wrong = if code == "111111" { "222222" } else { "111111" };
    for _ in 0..5 {
        test.post("/api/auth/register", register(wrong)).await.refused(422, "invalid_code");
    }
    // Five wrong tries have used it up.
    test.post("/api/auth/register", register(&code)).await.refused(422, "invalid_code");
    test.advance_ms(MINUTE_MS + 1).await;
    ask_code(&test, PHONE, "register").await.status(202);
    let code = test.sms_code(PHONE).unwrap();
    test.advance_ms(5 * MINUTE_MS).await;
    test.post("/api/auth/register", register(&code)).await.refused(422, "invalid_code");
    log_in(&test, PASSWORD, &test.device()).await.refused(401, "credentials_wrong");
}

/// ACC-10: one code a minute for a number; the refusal says how long. D.13: five an hour, ten a day.
#[tokio::test]
async fn codes_are_limited_per_number() {
    let test = TestApp::start().await;
    ask_code(&test, PHONE, "login").await.status(202);
    test.advance_ms(20_000).await;
    let problem = ask_code(&test, PHONE, "login").await.refused(429, "sms_too_soon");
    assert_eq!(problem["retry_after_ms"], 40_000);
    for _ in 0..4 {
        test.advance_ms(MINUTE_MS).await;
        ask_code(&test, PHONE, "login").await.status(202);
    }
    test.advance_ms(MINUTE_MS).await;
    ask_code(&test, PHONE, "login").await.refused(429, "sms_too_soon");
    test.advance_ms(60 * MINUTE_MS).await;
    for _ in 0..5 {
        test.advance_ms(MINUTE_MS).await;
        ask_code(&test, PHONE, "login").await.status(202);
    }
    test.advance_ms(60 * MINUTE_MS).await;
    ask_code(&test, PHONE, "login").await.refused(429, "sms_too_soon");
    test.advance_ms(DAY_MS).await;
    ask_code(&test, PHONE, "login").await.status(202);
}

/// ACC-08, and no hint whether a number is registered.
#[tokio::test]
async fn a_code_signs_in_and_unknown_numbers_look_the_same() {
    let test = TestApp::start().await;
    test.patient(PHONE).await;
    test.advance_ms(2 * MINUTE_MS).await;
    let known = ask_code(&test, PHONE, "login").await.status(202);
    let unknown = ask_code(&test, "13900000009", "login").await.status(202);
    assert_eq!(known.body, unknown.body);
    assert_eq!(test.sms_code("13900000009"), None, "no SMS is paid for an unknown number");
    let code = test.sms_code(PHONE).unwrap();
    let body = json!({ "phone": PHONE, "code": code, "device": test.device(), "remember": false });
    let session = test.post("/api/auth/login/sms", body.clone()).await.status(200).json();
    assert!(session["refresh_token"].is_null(), "ACC-12: nothing that lasts on a device that is not to be remembered");
    test.post("/api/auth/login/sms", body).await.refused(422, "invalid_code");
}

/// ACC-14: two doors; neither opens for the other's people.
#[tokio::test]
async fn staff_and_patients_have_separate_doors() {
    let test = TestApp::start().await;
    test.patient(PHONE).await;
    let doctor = test.staff("liming", Role::Doctor, &[]).await;
    assert_eq!(doctor.get("/api/me").await.ok()["role"], "doctor");
    let at_staff_door = json!({ "account": PHONE, "password": PASSWORD, "device": test.device() });
    test.post("/api/auth/staff/login", at_staff_door).await.refused(401, "credentials_wrong");
    let at_patient_door = json!({ "phone": "liming", "password": PASSWORD, "device": test.device() });
    test.post("/api/auth/login", at_patient_door).await.refused(422, "invalid_field");
}

/// D.13: five failures lock for 15 minutes; U-05: but not the device on which the owner has signed in.
#[tokio::test]
async fn a_stranger_cannot_lock_out_a_known_device() {
    let test = TestApp::start().await;
    test.patient(PHONE).await;
    let (mine, strange) = (test.device(), test.device());
    log_in(&test, PASSWORD, &mine).await.status(200);
    for _ in 0..5 {
        log_in(&test, "wrong-horse-9", &strange).await.refused(401, "credentials_wrong");
    }
    log_in(&test, PASSWORD, &strange).await.refused(429, "sign_in_locked");
    log_in(&test, PASSWORD, &test.device()).await.refused(429, "sign_in_locked");
    log_in(&test, PASSWORD, &mine).await.status(200);
    test.advance_ms(15 * MINUTE_MS + 1).await;
    log_in(&test, PASSWORD, &strange).await.status(200);
}

/// ACC-13, U-09: refresh tokens rotate; a copied one ends the whole family.
#[tokio::test]
async fn a_reused_refresh_token_revokes_the_family() {
    let test = TestApp::start().await;
    let patient = test.patient(PHONE).await;
    let refresh = |token: Option<String>| test.post("/api/auth/refresh", json!({ "refresh_token": token }));
    let second = refresh(patient.refresh_token.clone()).await.status(200).json();
    let renewed = TestPerson::of_session(&test, &second);
    renewed.get("/api/me").await.status(200);
    refresh(patient.refresh_token.clone()).await.refused(401, "invalid_refresh_token");
    renewed.get("/api/me").await.refused(401, "session_revoked");
    refresh(renewed.refresh_token.clone()).await.refused(401, "invalid_refresh_token");
}

/// ACC-13: the access token runs out; patients slide for 30 days, staff end after 30 idle minutes and after 8 hours.
#[tokio::test]
async fn sessions_end_by_time_and_differ_by_role() {
    let test = TestApp::start().await;
    let patient = test.patient(PHONE).await;
    let doctor = test.staff("liming", Role::Doctor, &[]).await;
    let refresh = |token: Option<String>| test.post("/api/auth/refresh", json!({ "refresh_token": token }));
    test.advance_ms(10 * MINUTE_MS).await;
    patient.get("/api/me").await.refused(401, "token_expired");
    let mut staff_token = doctor.refresh_token;
    for _ in 0..31 {
        test.advance_ms(15 * MINUTE_MS).await;
        staff_token = refresh(staff_token).await.status(200).json()["refresh_token"].as_str().map(str::to_owned);
    }
    test.advance_ms(15 * MINUTE_MS).await;
    refresh(staff_token).await.refused(401, "invalid_refresh_token");
    test.advance_ms(29 * DAY_MS).await;
    let later = refresh(patient.refresh_token).await.status(200).json();
    test.advance_ms(31 * DAY_MS).await;
    refresh(later["refresh_token"].as_str().map(str::to_owned)).await.refused(401, "invalid_refresh_token");
    let idle = test.sign_in_staff("liming").await;
    test.advance_ms(30 * MINUTE_MS).await;
    refresh(idle.refresh_token).await.refused(401, "invalid_refresh_token");
}

/// ACC-13, U-09: explicit logout, the list of devices, ending another; strangers' sessions do not exist.
#[tokio::test]
async fn sessions_can_be_listed_and_ended_by_their_owner_only() {
    let test = TestApp::start().await;
    let phone = test.patient(PHONE).await;
    let other = test.patient("13800000002").await;
    let tablet = TestPerson::of_session(&test, &log_in(&test, PASSWORD, &test.device()).await.status(200).json());
    let sessions = phone.get("/api/auth/sessions").await.ok();
    assert_eq!(sessions.as_array().map(Vec::len), Some(2));
    other.delete(&format!("/api/auth/sessions/{}", phone.session_id)).await.refused(404, "not_found");
    other.delete("/api/auth/sessions/0190a5c8-7c1e-7b3a-9f0e-2f4b8d1c6a55").await.refused(404, "not_found");
    phone.delete(&format!("/api/auth/sessions/{}", tablet.session_id)).await.status(204);
    tablet.get("/api/me").await.refused(401, "session_revoked");
    phone.act("/api/auth/logout").await.status(204);
    phone.get("/api/me").await.refused(401, "session_revoked");
}

/// ACC-24: the old password is checked; other devices are signed out.
#[tokio::test]
async fn a_changed_password_ends_other_sessions() {
    let test = TestApp::start().await;
    let phone = test.patient(PHONE).await;
    let tablet = TestPerson::of_session(&test, &log_in(&test, PASSWORD, &test.device()).await.status(200).json());
    let change = |old: &str, new: &str| json!({ "old_password": old, "new_password": new });
    phone.post("/api/me/password", change("wrong-horse-9", "better-horse-10")).await.refused(422, "wrong_password");
    phone.post("/api/me/password", change(PASSWORD, "short")).await.refused(422, "invalid_field");
    phone.post("/api/me/password", change(PASSWORD, "better-horse-10")).await.status(204);
    tablet.get("/api/me").await.refused(401, "session_revoked");
    phone.get("/api/me").await.status(200);
    log_in(&test, PASSWORD, &test.device()).await.refused(401, "credentials_wrong");
    log_in(&test, "better-horse-10", &test.device()).await.status(200);
}

/// Type confusion, unknown routes, oversized bodies: typed refusals that name the field.
#[tokio::test]
async fn bad_bodies_are_refused_with_the_path_of_the_field() {
    let test = TestApp::start().await;
    let body = json!({ "phone": PHONE, "password": PASSWORD, "device": { "id": 7, "label": "x" } });
    let problem = test.post("/api/auth/login", body).await.refused(422, "invalid_field");
    assert_eq!(problem["fields"][0]["path"], "device.id");
    assert!(problem["request_id"].as_str().is_some_and(|id| id.len() == 32));
    let huge = json!({ "phone": "1".repeat(300_000), "purpose": "login" });
    test.post("/api/auth/sms-codes", huge).await.refused(413, "too_large");
    test.get("/api/nowhere").await.refused(404, "not_found");
    test.get("/api/auth/login").await.refused(405, "method_not_allowed");
    test.send(http::Method::POST, "/api/auth/login", None, &[], None).await.refused(415, "unsupported_media_type");
}

/// Personal data lies sealed: neither name nor number can be read from the file.
#[tokio::test]
async fn names_and_numbers_are_not_in_the_file() {
    let test = TestApp::start().await;
    test.patient("13812345678").await;
    let test = test.restart().await;
    let bytes = test.stored_bytes().await;
    for canary in ["张伟", "13812345678"] {
        assert!(!bytes.windows(canary.len()).any(|window| window == canary.as_bytes()), "{canary} is readable");
    }
}

/// ACC-12, ACC-13: a device that is not to be remembered keeps nothing that lasts; it goes on while its token lives, eight hours at most.
#[tokio::test]
async fn a_device_not_to_be_remembered_is_forgotten() {
    let test = TestApp::start().await;
    test.patient(PHONE).await;
    let body = json!({ "phone": PHONE, "password": PASSWORD, "device": test.device(), "remember": false });
    let session = test.post("/api/auth/login", body).await.status(200).json();
    assert!(session["refresh_token"].is_null());
    let mut visitor = TestPerson::of_session(&test, &session);
    let mut minutes = 0;
    let last = loop {
        test.advance_ms(9 * MINUTE_MS).await;
        minutes += 9;
        let answer = visitor.post("/api/auth/refresh", json!({ "refresh_token": null })).await;
        if answer.code != 200 {
            break answer;
        }
        let renewed = answer.json();
        assert!(renewed["refresh_token"].is_null() && renewed["session_id"] == session["session_id"]);
        visitor = TestPerson::of_session(&test, &renewed);
        assert!(minutes < 8 * 60, "eight hours are the end");
    };
    last.refused(401, "invalid_refresh_token");
    assert!(minutes >= 8 * 60, "{minutes} minutes");
    let body = json!({ "phone": PHONE, "password": PASSWORD, "device": test.device(), "remember": false });
    let silent = TestPerson::of_session(&test, &test.post("/api/auth/login", body).await.status(200).json());
    test.advance_ms(10 * MINUTE_MS).await;
    silent.post("/api/auth/refresh", json!({ "refresh_token": null })).await.status(401);
}

/// ACC-12, ACC-13: a remembered patient is still signed in after a restart of the server and four quiet weeks.
#[tokio::test]
async fn a_remembered_device_stays_signed_in() {
    let test = TestApp::start().await;
    test.patient(PHONE).await;
    let session = log_in(&test, PASSWORD, &test.device()).await.status(200).json();
    let test = test.restart().await;
    test.advance_ms(29 * DAY_MS).await;
    let renewed = test.post("/api/auth/refresh", json!({ "refresh_token": session["refresh_token"] })).await.status(200).json();
    assert_eq!(renewed["session_id"], session["session_id"]);
    TestPerson::of_session(&test, &renewed).get("/api/me").await.status(200);
}
