//! CON-03, U-16 through the public API: what goes in, what comes out, and to whom.

use crate::testing::{PASSWORD, PNG, TestApp, TestPerson};
use axum::body::Body;
use chat::connection::{AttachmentClaim, AttachmentFacts, AttachmentKind};
use chat::errors::Code;
use chat::ids::{ConversationId, MessageId, Role};
use chat::log::NewConversation;
use chat::log::head::{ConversationState, Member, RetentionClass};
use chat::wire::SenderRole;
use http::Request;
use serde_json::{Value, json};
use uuid::Uuid;

const VOICE: &[u8] = include_bytes!("../../../media/src/voice/recorded/chromium.webm");

/// The first patient, signed in again after his token ran out.
async fn again(test: &TestApp) -> TestPerson<'_> {
    let body = json!({ "phone": "13800000001", "password": PASSWORD, "device": test.device(), "remember": false });
    TestPerson::of_session(test, &test.post("/api/auth/login", body).await.status(200).json())
}

fn id_of(attachment: &Value) -> Uuid {
    attachment["id"].as_str().unwrap().parse().unwrap()
}

/// An open conversation of the two.
async fn conversation(test: &TestApp, patient: &TestPerson<'_>, doctor: &TestPerson<'_>) -> ConversationId {
    let member = |user, role| Member { user, role, visible_from: 1, left_at: None };
    let id: ConversationId = test.app.entropy.id(test.app.clock.now());
    let new = NewConversation {
        id,
        tenant: test.app.tenant,
        subject: patient.user,
        members: vec![member(patient.user, SenderRole::Patient), member(doctor.user, SenderRole::Doctor)],
        state: ConversationState::Open,
        retention: RetentionClass::Consultation,
        first: Vec::new(),
    };
    test.app.log.create(new).await.unwrap();
    id
}

#[tokio::test]
async fn con_03_a_picture_comes_back_as_what_was_stored_with_headers_that_disarm_it() {
    let test = TestApp::start().await;
    let patient = test.patient("13800000001").await;
    let made = patient.picture().await;
    assert_eq!((made["kind"].as_str(), made["mime"].as_str(), made["width_px"].as_u64()), (Some("image"), Some("image/jpeg"), Some(1)));
    for path in ["url", "thumbnail_url"] {
        let answer = patient.get(made[path].as_str().unwrap()).await.status(200);
        let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        assert!(answer.body.starts_with(b"\xFF\xD8\xFF"));
        assert_eq!((header("content-type").as_str(), header("x-content-type-options").as_str()), ("image/jpeg", "nosniff"));
        assert!(header("cache-control").starts_with("private") && header("content-security-policy").contains("sandbox"));
        assert_eq!(header("content-disposition"), "inline; filename=\"attachment.jpg\"");
    }
}

#[tokio::test]
async fn a_voice_message_is_measured_and_has_no_thumbnail() {
    let test = TestApp::start().await;
    let patient = test.patient("13800000001").await;
    let made = patient.upload("voice", "audio/webm;codecs=opus", VOICE).await.status(201).json();
    assert!(made["duration_ms"].as_u64().unwrap() > 500 && made["thumbnail_url"].is_null());
    let url = made["url"].as_str().unwrap();
    assert!(patient.get(url).await.status(200).body.starts_with(b"OggS"));
    patient.get(&format!("{url}/thumbnail")).await.refused(404, "not_found");
}

#[tokio::test]
async fn u_16_wrong_types_damaged_and_oversized_files_are_typed_refusals() {
    let test = TestApp::start().await;
    let patient = test.patient("13800000001").await;
    patient.upload("image", "image/jpeg", PNG).await.refused(415, "attachment_type_mismatch");
    patient.upload("image", "image/svg+xml", b"<svg onload='alert(1)'/>").await.refused(415, "unsupported_media_type");
    patient.upload("image", "audio/webm", VOICE).await.refused(415, "unsupported_media_type");
    patient.upload("image", "image/png", &PNG[..40]).await.refused(422, "attachment_undecodable");
    patient.upload("image", "image/png", b"").await.refused(422, "attachment_empty");
    patient.upload("image", "image/png", &vec![0; 11 << 20]).await.refused(413, "too_large");
    patient.upload("voice", "audio/webm", &vec![0; 3 << 20]).await.refused(413, "too_large");
    patient.upload("film", "image/png", PNG).await.refused(422, "invalid_field");
    let request = Request::post("/api/uploads").header("content-type", "multipart/form-data; boundary=edge").body(Body::empty()).unwrap();
    test.send_raw(request).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn foreign_and_unknown_attachments_answer_alike() {
    let test = TestApp::start().await;
    let patient = test.patient("13800000001").await;
    let stranger = test.patient("13800000002").await;
    let made = patient.picture().await;
    let unknown = format!("/api/attachments/{}", Uuid::from_u128(7));
    for path in [made["url"].as_str().unwrap(), made["thumbnail_url"].as_str().unwrap(), &unknown] {
        let mut problem = stranger.get(path).await.refused(404, "not_found");
        problem["request_id"] = Value::Null;
        let mut other = stranger.get(&unknown).await.refused(404, "not_found");
        other["request_id"] = Value::Null;
        assert_eq!(problem, other);
    }
}

#[tokio::test]
async fn the_first_message_takes_it_and_then_the_members_see_it() {
    let test = TestApp::start().await;
    let patient = test.patient("13800000001").await;
    let doctor = test.staff("doctor-li", Role::Doctor, &[]).await;
    let made = patient.picture().await;
    let url = made["url"].as_str().unwrap();
    let conversation = conversation(&test, &patient, &doctor).await;
    let check = |claim| super::check_attachment(test.app.clone(), claim);
    let message: MessageId = test.app.entropy.id(test.app.clock.now());
    let claim = AttachmentClaim { user: patient.user, conversation, message, attachment: id_of(&made), kind: AttachmentKind::Image };
    doctor.get(url).await.refused(404, "not_found");
    assert_eq!(check(AttachmentClaim { user: doctor.user, ..claim }).await, Err(Code::UnknownAttachment), "only its uploader sends it");
    assert_eq!(check(AttachmentClaim { kind: AttachmentKind::Voice, ..claim }).await, Err(Code::UnknownAttachment));
    let facts = Ok(AttachmentFacts::Image { width_px: 1, height_px: 1 });
    assert_eq!(check(claim).await, facts);
    assert_eq!(check(claim).await, facts, "a repeated send");
    let other = AttachmentClaim { message: test.app.entropy.id(test.app.clock.now()), ..claim };
    assert_eq!(check(other).await, Err(Code::UnknownAttachment), "the first message won");
    doctor.get(url).await.status(200);
    test.advance_ms(super::sweep::UNATTACHED_AFTER_MS + 1).await;
    let patient = again(&test).await;
    patient.get(url).await.status(200);
}

#[tokio::test]
async fn a_consultation_takes_its_pictures_once_and_shows_them_to_its_doctor() {
    let test = TestApp::start().await;
    let patient = test.patient("13800000001").await;
    let doctor = test.staff("doctor-li", Role::Doctor, &[]).await;
    let made = patient.picture().await;
    let taken = super::Taken {
        consultation: Uuid::from_u128(1),
        conversation: test.app.entropy.id(test.app.clock.now()),
        uploader: patient.user,
        reader: doctor.user,
    };
    let mut tx = test.app.db.begin().await.unwrap();
    let ids = [id_of(&made), Uuid::from_u128(9)];
    assert_eq!(super::take_for_consultation(&test.app, &mut tx, taken, &ids).await.unwrap(), Some(1), "the second is nobody's");
    tx.rollback().await.unwrap();
    doctor.get(made["url"].as_str().unwrap()).await.refused(404, "not_found");
    let mut tx = test.app.db.begin().await.unwrap();
    assert_eq!(super::take_for_consultation(&test.app, &mut tx, taken, &ids[..1]).await.unwrap(), None);
    assert_eq!(super::take_for_consultation(&test.app, &mut tx, taken, &ids[..1]).await.unwrap(), Some(0), "taken");
    test.app.commit(tx).await.unwrap();
    doctor.get(made["url"].as_str().unwrap()).await.status(200);
}

#[tokio::test]
async fn what_nothing_took_is_gone_after_a_day_with_its_blob() {
    let test = TestApp::start().await;
    let patient = test.patient("13800000001").await;
    patient.picture().await;
    let blobs = test.data_dir().join("attachments");
    assert_eq!(files(&blobs), 2);
    test.advance_ms(super::sweep::UNATTACHED_AFTER_MS - 1).await;
    assert_eq!(files(&blobs), 2);
    test.advance_ms(1).await;
    assert_eq!(files(&blobs), 0);
}

#[tokio::test]
async fn the_daily_quota_is_exact_and_ends_with_the_day() {
    let test = TestApp::start_with(|config| config.uploads.files_per_day_max = 3).await;
    let patient = test.patient("13800000001").await;
    for _ in 0..3 {
        patient.picture().await;
    }
    let refused = patient.upload("image", "image/png", PNG).await.refused(429, "quota_exceeded");
    assert_eq!(refused["temporary"], true);
    test.advance_ms(24 * 60 * 60 * 1000).await;
    let patient = again(&test).await;
    patient.picture().await;
}

fn files(dir: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}
