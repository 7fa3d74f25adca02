use super::{Category, New, notify};
use crate::testing::{TestApp, TestPerson};
use uuid::Uuid;

async fn tell(test: &TestApp, person: &TestPerson<'_>, category: Category, text: &str) {
    let mut tx = test.app.db.begin().await.unwrap();
    let new = New { user: person.user, category, title: "提醒", text, link: Some(("order", Uuid::from_u128(5))) };
    notify(&test.app, &mut tx, new).await.unwrap();
    test.app.commit(tx).await.unwrap();
    test.app.clock.advance_ms(1);
}

/// NTF-01, NTF-03, NTF-04: by time, by category, counted, marked; only one's own.
#[tokio::test]
async fn messages_are_listed_by_category_and_marked_by_their_owner() {
    let test = TestApp::start().await;
    let (one, other) = (test.patient("13800000001").await, test.patient("13800000002").await);
    tell(&test, &one, Category::Order, "订单已支付").await;
    tell(&test, &one, Category::Doctor, "医生已接诊").await;
    tell(&test, &other, Category::Doctor, "他人的消息").await;
    let page = one.get("/api/notifications").await.ok();
    assert_eq!((page["total"].as_i64(), page["items"][0]["text"].as_str()), (Some(2), Some("医生已接诊")));
    let orders = one.get("/api/notifications?category=order&page_size=1").await.ok();
    assert_eq!((orders["total"].as_i64(), orders["items"][0]["link"]["object"].as_str()), (Some(1), Some("order")));
    let id = page["items"][0]["id"].as_str().unwrap();
    other.act(&format!("/api/notifications/{id}/read")).await.refused(404, "not_found");
    one.act(&format!("/api/notifications/{id}/read")).await.status(204);
    assert_eq!(one.get("/api/notifications/unread-count").await.ok()["unread"], 1);
    assert_eq!(one.get("/api/notifications?unread=true").await.ok()["items"][0]["text"], "订单已支付");
    one.act("/api/notifications/read-all").await.status(204);
    assert_eq!(one.get("/api/notifications/unread-count").await.ok()["unread"], 0);
    assert_eq!(other.get("/api/notifications/unread-count").await.ok()["unread"], 1);
    one.get("/api/notifications?page=0").await.refused(422, "invalid_field");
    one.get("/api/notifications?category=nonsense").await.refused(422, "invalid_field");
}

/// The text is sealed: it may name a doctor or a complaint.
#[tokio::test]
async fn texts_are_not_in_the_file() {
    let test = TestApp::start().await;
    let person = test.patient("13800000001").await;
    tell(&test, &person, Category::Doctor, "皮肤科刘医生已接诊").await;
    drop(person);
    let test = test.restart().await;
    let bytes = test.stored_bytes().await;
    assert!(!bytes.windows(9).any(|window| window == "皮肤科".as_bytes()));
}
