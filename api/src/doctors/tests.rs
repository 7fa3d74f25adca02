use crate::{
    demo,
    testing::{TestApp, TestPerson},
};
use serde_json::{Value, json};

async fn filled() -> TestApp {
    let test = TestApp::start().await;
    demo::fill(&test.app).await.unwrap();
    test
}

/// A doctor of the demo; `doctor01` is a chief physician of cardiology.
async fn sign_in<'a>(test: &'a TestApp, account: &str) -> TestPerson<'a> {
    let body = json!({ "account": account, "password": demo::PASSWORD, "device": test.device() });
    TestPerson::of_session(test, &test.post("/api/auth/staff/login", body).await.ok())
}

fn items(page: &Value) -> &Vec<Value> {
    page["items"].as_array().unwrap()
}

async fn all(test: &TestApp, filter: &str) -> Vec<Value> {
    items(&test.get(&format!("/api/doctors?page_size=50&{filter}")).await.ok()).clone()
}

async fn page_of(test: &TestApp, person: &TestPerson<'_>) -> Value {
    let id = person.get("/api/doctor/profile").await.ok()["id"].as_str().unwrap().to_owned();
    test.get(&format!("/api/doctors/{id}")).await.ok()
}

/// FND-07, FND-15, REG-08, REG-17: the card says who it is and what it costs, before anybody signs in.
#[tokio::test]
async fn a_card_names_title_expertise_hospital_and_prices() {
    let test = filled().await;
    for doctor in all(&test, "").await {
        for field in ["name", "title_label", "expertise", "hospital"] {
            assert!(!doctor[field].as_str().unwrap().is_empty(), "{field} of {doctor}");
        }
        assert!(doctor["prices"].as_array().unwrap().iter().all(|price| price["amount_fen"].as_i64() > Some(0)));
        assert!(doctor["prices"].as_array().unwrap().len() >= 4);
        assert_eq!(doctor["rating"], Value::Null, "nobody has reviewed anybody yet");
    }
}

/// FND-08, FND-09: each filter leaves those that fit, and together they all hold.
#[tokio::test]
async fn filters_narrow_the_list() {
    let test = filled().await;
    let chiefs = all(&test, "title=chief_physician").await;
    assert!(!chiefs.is_empty() && chiefs.iter().all(|doctor| doctor["title"] == "chief_physician"));
    let diseases = test.get("/api/diseases?q=I10").await.ok();
    let disease = diseases[0]["id"].as_str().unwrap();
    let treating = all(&test, &format!("disease={disease}")).await;
    assert!(treating.iter().any(|doctor| doctor["name"] == "周明远"), "{treating:?}");
    let video = all(&test, "kind=advice&channel=video").await;
    let offers =
        |doctor: &Value| doctor["prices"].as_array().unwrap().iter().any(|price| price["kind"] == "advice" && price["channel"] == "video");
    assert!(video.len() < all(&test, "").await.len() && video.iter().all(offers));
    let both = all(&test, &format!("disease={disease}&title=chief_physician")).await;
    assert!(both.iter().all(|doctor| treating.contains(doctor) && chiefs.contains(doctor)));
    assert!(all(&test, "rating_min=4").await.is_empty());
}

/// FND-02: by name and by speciality; the order is that of the search.
#[tokio::test]
async fn a_query_finds_names_and_specialities() {
    let test = filled().await;
    assert_eq!(all(&test, "q=%E6%B2%88%E7%8F%BA").await[0]["name"], "沈珺");
    let found = all(&test, "q=%E6%88%BF%E9%A2%A4").await;
    assert!(found.iter().any(|doctor| doctor["name"] == "沈珺"), "{found:?}");
    assert!(all(&test, "q=%E6%B2%88%E7%8F%BA&title=chief_physician").await.is_empty());
}

/// ORD-06: pages follow each other without a gap or a repetition, in every order.
#[tokio::test]
async fn pages_show_everybody_once() {
    let test = filled().await;
    for sort in ["default", "rating", "consultations", "price"] {
        let mut seen = Vec::new();
        for page in 1.. {
            let answer = test.get(&format!("/api/doctors?sort={sort}&page={page}")).await.ok();
            assert_eq!(answer["page_size"], 10);
            if items(&answer).is_empty() {
                assert_eq!(answer["total"].as_u64(), Some(seen.len() as u64));
                break;
            }
            seen.extend(items(&answer).iter().map(|doctor| doctor["id"].as_str().unwrap().to_owned()));
        }
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), count, "{sort}");
    }
    let cheapest = all(&test, "sort=price&kind=advice&channel=text").await;
    let price = |doctor: &Value| {
        let prices = doctor["prices"].as_array().unwrap();
        prices.iter().find(|price| price["kind"] == "advice" && price["channel"] == "text").unwrap()["amount_fen"].as_i64().unwrap()
    };
    assert!(cheapest.windows(2).all(|pair| price(&pair[0]) <= price(&pair[1])));
}

#[tokio::test]
async fn nonsense_in_the_query_is_refused() {
    let test = filled().await;
    for (query, field) in [("page=0", "page"), ("page=10001", "page"), ("page_size=51", "page_size"), ("page_size=0", "page_size")] {
        let problem = test.get(&format!("/api/doctors?{query}")).await.refused(422, "invalid_field");
        assert_eq!((&problem["fields"][0]["path"], &problem["fields"][0]["code"]), (&json!(field), &json!("out_of_range")));
    }
    let long = test.get(&format!("/api/doctors?q={}", "a".repeat(51))).await.refused(422, "invalid_field");
    assert_eq!(long["fields"][0]["path"], "q");
    for query in ["page=-1", "title=king", "department=x", "online=maybe", "rating_min=x", "sort=name"] {
        test.get(&format!("/api/doctors?{query}")).await.refused(422, "invalid_field");
    }
    test.get("/api/doctors/01890000-0000-7000-8000-000000000000").await.refused(404, "not_found");
    test.get("/api/doctors/x").await.refused(404, "not_found");
    test.get("/api/search").await.refused(422, "invalid_field");
    test.get("/api/search?q=%20").await.refused(422, "invalid_field");
    test.get(&format!("/api/search?q={}", "a".repeat(51))).await.refused(422, "invalid_field");
}

/// FND-10, REG-17: certification, profile, prices, bookable times; the licence number only masked.
#[tokio::test]
async fn a_page_shows_certification_and_hours() {
    let test = filled().await;
    let doctor = sign_in(&test, "doctor01").await;
    let page = page_of(&test, &doctor).await;
    assert_eq!(page["name"], "周明远");
    assert_eq!(page["title_label"], "主任医师");
    assert_eq!(page["certified"], true);
    assert_eq!(page["licence"]["verified"], true);
    assert!(page["licence"]["number_masked"].as_str().unwrap().contains("****"));
    assert_eq!(page["hours"].as_array().unwrap().len(), 7);
    assert!(!page["biography"].as_str().unwrap().is_empty());
    assert!(!page["diseases"].as_array().unwrap().is_empty());
}

/// FND-01: one box for all three.
#[tokio::test]
async fn the_search_box_finds_doctors_departments_and_diseases() {
    let test = filled().await;
    let found = test.get("/api/search?q=%E5%93%AE%E5%96%98").await.ok();
    assert!(found["diseases"].as_array().unwrap().iter().any(|disease| disease["name"] == "支气管哮喘"));
    assert!(found["departments"].as_array().unwrap().iter().any(|department| department["name"] == "呼吸内科"));
    assert!(found["doctors"].as_array().unwrap().iter().any(|doctor| doctor["name"] == "宋培贤"));
    let by_initials = test.get("/api/search?q=hxnk").await.ok();
    assert_eq!(by_initials["departments"][0]["name"], "呼吸内科");
}

/// DOC-06, X-40: unverified words change at once, on the page and in the search; verified ones cannot be named.
#[tokio::test]
async fn a_doctor_changes_his_words_but_not_his_title() {
    let test = filled().await;
    let doctor = sign_in(&test, "doctor01").await;
    assert!(test.get("/api/search?q=%E8%93%9D%E8%9E%83%E8%9F%B9").await.ok()["doctors"].as_array().unwrap().is_empty());
    let change = json!({ "expertise": "高血压与蓝螃蟹过敏", "biography": "新的简介" });
    doctor.put("/api/doctor/profile", change).await.ok();
    let page = page_of(&test, &doctor).await;
    assert_eq!((&page["expertise"], &page["biography"]), (&json!("高血压与蓝螃蟹过敏"), &json!("新的简介")));
    assert_eq!(test.get("/api/search?q=%E8%9E%83%E8%9F%B9").await.ok()["doctors"][0]["name"], "周明远");
    for verified in ["name", "title", "hospital", "licence_number", "department_id"] {
        let body = json!({ "expertise": "高血压", "biography": "", verified: "x" });
        doctor.put("/api/doctor/profile", body).await.refused(422, "invalid_field");
    }
    doctor.put("/api/doctor/profile", json!({ "expertise": "高", "biography": "" })).await.refused(422, "invalid_field");
    doctor.put("/api/doctor/profile", json!({ "expertise": "高血压", "biography": "长".repeat(2001) })).await.refused(422, "invalid_field");
}

/// DOC-07: the whole week is replaced at once, or not at all.
#[tokio::test]
async fn a_doctor_sets_his_hours() {
    let test = filled().await;
    let doctor = sign_in(&test, "doctor01").await;
    let period = |weekday: i64, start: i64, end: i64| json!({ "weekday": weekday, "start_minute": start, "end_minute": end });
    let week = json!([period(1, 540, 720), period(7, 0, 1440)]);
    assert_eq!(doctor.put("/api/doctor/hours", week.clone()).await.ok(), week);
    assert_eq!(page_of(&test, &doctor).await["hours"], week);
    let overlapping = json!([period(1, 0, 60), period(1, 30, 90)]);
    let problem = doctor.put("/api/doctor/hours", overlapping).await.refused(422, "invalid_field");
    assert_eq!(problem["fields"][0]["path"], "[1]");
    assert_eq!(doctor.get("/api/doctor/hours").await.ok(), week);
    doctor.put("/api/doctor/hours", json!([])).await.ok();
    assert_eq!(doctor.get("/api/doctor/hours").await.ok(), json!([]));
}

/// DOC-08, X-38: prices move inside the band of kind × channel × title; a service without a price is not offered.
#[tokio::test]
async fn a_doctor_sets_his_prices_inside_the_band() {
    let test = filled().await;
    let doctor = sign_in(&test, "doctor01").await;
    let text = |amount: Value| json!({ "kind": "advice", "channel": "text", "amount_fen": amount });
    assert_eq!(doctor.get("/api/doctor/price-bands").await.ok().as_array().unwrap().len(), 6);
    let only_text = json!([text(json!(5000))]);
    assert_eq!(doctor.put("/api/doctor/prices", only_text.clone()).await.ok(), only_text);
    for amount in [2999, 10_001, 0, -1, i64::MAX] {
        let problem = doctor.put("/api/doctor/prices", json!([text(json!(amount))])).await.refused(422, "invalid_field");
        assert_eq!(problem["fields"][0]["code"], "outside_band", "{amount}");
    }
    for amount in [json!("5000"), json!(5000.5), json!(1e300), Value::Null] {
        doctor.put("/api/doctor/prices", json!([text(amount)])).await.refused(422, "invalid_field");
    }
    doctor.put("/api/doctor/prices", json!([text(json!(5000)), text(json!(6000))])).await.refused(422, "invalid_field");
    assert_eq!(doctor.get("/api/doctor/prices").await.ok(), only_text);
    assert_eq!(page_of(&test, &doctor).await["prices"], only_text);
}

/// DOC-08: who takes no new patients stays on the list and says so.
#[tokio::test]
async fn a_doctor_stops_taking_patients() {
    let test = filled().await;
    let doctor = sign_in(&test, "doctor01").await;
    assert_eq!(doctor.put("/api/doctor/availability", json!({ "accepting": false })).await.ok()["accepting"], false);
    assert_eq!(page_of(&test, &doctor).await["accepting"], false);
}

/// What belongs to a doctor is refused to everybody else, and one doctor's change touches no other.
#[tokio::test]
async fn the_workbench_is_for_doctors() {
    let test = filled().await;
    let patient = test.patient("13900000001").await;
    for path in ["/api/doctor/profile", "/api/doctor/hours", "/api/doctor/prices", "/api/doctor/price-bands"] {
        test.get(path).await.refused(401, "unauthenticated");
        patient.get(path).await.refused(403, "not_permitted");
    }
    let (one, other) = (sign_in(&test, "doctor01").await, sign_in(&test, "doctor02").await);
    let before = page_of(&test, &other).await;
    one.put("/api/doctor/hours", json!([])).await.ok();
    one.put("/api/doctor/availability", json!({ "accepting": false })).await.ok();
    assert_eq!(page_of(&test, &other).await, before);
}

/// FND-16: without a socket nobody is online, however long he is open.
#[tokio::test]
async fn nobody_is_online_without_a_socket() {
    let test = filled().await;
    assert!(all(&test, "").await.iter().all(|doctor| doctor["online"] == false));
    assert!(all(&test, "online=true").await.is_empty());
}
