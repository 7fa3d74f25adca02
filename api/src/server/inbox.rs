//! `/demo/inbox`: what the SMS simulator "sent", as a page for people and, at `/demo/inbox.json`, for programs. Only with `--demo`; not in the
//! API's document, because it is no part of the product.

use crate::{
    accounts::SmsMessage,
    http::{Json, Problem},
    state::App,
};
use axum::{Router, extract::State, response::Html, routing::get};
use chat::ids::Timestamp;
use serde::Serialize;
use time::{OffsetDateTime, UtcOffset, macros::format_description};

/// Asia/Shanghai has no other offset since 1991.
const SHANGHAI: UtcOffset = match UtcOffset::from_hms(8, 0, 0) {
    Ok(offset) => offset,
    Err(_) => UtcOffset::UTC,
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/demo/inbox", get(inbox)).route("/demo/inbox.json", get(list))
}

/// The newest first.
#[derive(Serialize)]
struct Inbox {
    messages: Vec<Sms>,
}

#[derive(Serialize)]
struct Sms {
    phone: String,
    text: String,
    sent_at: Timestamp,
}

async fn list(State(app): State<App>) -> Result<Json<Inbox>, Problem> {
    let message = |sms: &SmsMessage| Sms { phone: sms.phone.as_str().to_owned(), text: sms.text.clone(), sent_at: sms.sent_at };
    Ok(Json(Inbox { messages: sent(&app)?.iter().map(message).collect() }))
}

fn sent(app: &App) -> Result<Vec<SmsMessage>, Problem> {
    if app.config.demo { Ok(app.sms.sent()) } else { Err(Problem::not_found()) }
}

async fn inbox(State(app): State<App>) -> Result<Html<String>, Problem> {
    let rows: String = sent(&app)?.iter().map(row).collect();
    Ok(Html(format!(
        "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"5\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>演示短信收件箱</title>\
         <style>body{{font:16px/1.5 sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}}td{{padding:.4rem .8rem .4rem 0;vertical-align:top}}</style>\
         <main><h1>演示短信收件箱</h1><p>仅演示模式可见。此处显示本应发送到手机的短信。</p><table><tbody>{rows}</tbody></table></main></html>"
    )))
}

fn row(message: &SmsMessage) -> String {
    let sent = OffsetDateTime::from_unix_timestamp(message.sent_at.0 / 1000).map(|at| at.to_offset(SHANGHAI));
    let time = sent.ok().and_then(|at| at.format(format_description!("[hour]:[minute]:[second]")).ok()).unwrap_or_default();
    // The text is made of a fixed sentence and digits, the number of digits: there is nothing to escape, and escaping costs little.
    format!("<tr><td>{time}</td><td data-phone=\"{0}\">{0}</td><td>{1}</td></tr>", escape(message.phone.as_str()), escape(&message.text))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use crate::testing::TestApp;
    use serde_json::json;

    #[tokio::test]
    async fn the_demo_shows_what_was_sent_and_nothing_else_does() {
        let test = TestApp::start().await;
        let phone = "13900000001";
        test.post("/api/auth/sms-codes", json!({ "phone": phone, "purpose": "register" })).await.status(202);
        test.settle().await;
        let inbox = test.get("/demo/inbox.json").await.ok();
        let newest = &inbox["messages"][0];
        assert_eq!((&newest["phone"], newest["sent_at"].is_i64()), (&json!(phone), true), "{inbox}");
        let code = test.sms_code(phone).unwrap();
        assert!(newest["text"].as_str().unwrap().contains(&code), "{inbox}");
        assert!(test.get("/demo/inbox").await.status(200).text().contains(&code));
        let real = TestApp::start_with(|config| config.demo = false).await;
        for path in ["/demo/inbox", "/demo/inbox.json"] {
            real.get(path).await.refused(404, "not_found");
        }
    }
}
