use crate::{demo, testing::TestApp};
use serde_json::Value;

async fn filled() -> TestApp {
    let test = TestApp::start().await;
    demo::fill(&test.app).await.unwrap();
    test
}

fn items(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap()
}

/// FND-03, FND-04, FND-05: all that the first screen shows, in one answer, without signing in.
#[tokio::test]
async fn home_shows_hospital_departments_services_and_doctors() {
    let test = filled().await;
    let home = test.get("/api/home").await.ok();
    assert_eq!(home["hospital"]["grade"], "三级甲等");
    assert_eq!(home["hospital"]["emergency_phone"], "120");
    assert!(items(&home["hot_departments"]).len() >= 4);
    assert!(items(&home["hot_departments"]).iter().all(|department| department["hot"] == true));
    assert!(items(&home["special_services"]).len() >= 2);
    assert_eq!(items(&home["hot_doctors"]).len(), 8);
    assert!(!items(&home["announcements"]).is_empty());
    assert_eq!(test.get("/api/hospital").await.ok(), home["hospital"]);
}

/// FND-03, FND-06: a tap on a department lists that department's doctors.
#[tokio::test]
async fn departments_have_a_category_and_lead_to_their_doctors() {
    let test = filled().await;
    let departments = test.get("/api/departments").await.ok();
    for department in items(&departments) {
        assert!(!department["category"].as_str().unwrap().is_empty());
        let doctors = test.get(&format!("/api/doctors?department={}", department["id"].as_str().unwrap())).await.ok();
        assert_eq!(doctors["total"], department["doctor_count"]);
        assert!(items(&doctors["items"]).iter().all(|doctor| doctor["department"]["id"] == department["id"]));
    }
}

/// ADM-07: diseases by part of the name or by the code.
#[tokio::test]
async fn diseases_are_found_by_name_and_code() {
    let test = filled().await;
    let names = |found: Value| items(&found).iter().map(|disease| disease["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(test.get("/api/diseases?q=i10").await.ok()), ["原发性高血压"]);
    assert!(names(test.get("/api/diseases?q=%E7%B3%96%E5%B0%BF%E7%97%85").await.ok()).contains(&"2型糖尿病".to_owned()));
    assert!(names(test.get("/api/diseases?q=nothing").await.ok()).is_empty());
}

/// REG-07, CON-08, CON-23: the texts stand ready before anybody has filled the installation.
#[tokio::test]
async fn notices_are_public_versioned_and_hashed() {
    let test = TestApp::start().await;
    let notices = test.get("/api/notices").await.ok();
    let kinds: Vec<_> = items(&notices).iter().map(|notice| notice["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["scope_notice", "informed_consent", "av_notice", "privacy"]);
    for notice in items(&notices) {
        assert_eq!(notice["text_hash"].as_str().unwrap().len(), 64);
        assert!(!notice["version"].as_str().unwrap().is_empty());
    }
    assert!(notices[0]["text"].as_str().unwrap().contains("120"));
}

/// An empty installation answers, it does not break.
#[tokio::test]
async fn an_installation_that_nobody_has_filled_is_empty() {
    let test = TestApp::start().await;
    test.get("/api/hospital").await.refused(404, "not_found");
    assert_eq!(test.get("/api/home").await.ok()["hospital"], Value::Null);
    assert_eq!(test.get("/api/departments").await.ok(), serde_json::json!([]));
    assert_eq!(test.get("/api/doctors").await.ok()["total"], 0);
    assert_eq!(test.get("/api/search?q=x").await.ok()["doctors"], serde_json::json!([]));
}
