//! `/demo/inbox`: what the SMS simulator "sent". Only with `--demo`, only as a page for people; not in the API's document.

use crate::{accounts::SmsMessage, http::Problem, state::App};
use axum::{Router, extract::State, response::Html, routing::get};
use time::{OffsetDateTime, UtcOffset, macros::format_description};

/// Asia/Shanghai has no other offset since 1991.
const SHANGHAI: UtcOffset = match UtcOffset::from_hms(8, 0, 0) {
    Ok(offset) => offset,
    Err(_) => UtcOffset::UTC,
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/demo/inbox", get(inbox))
}

async fn inbox(State(app): State<App>) -> Result<Html<String>, Problem> {
    if !app.config.demo {
        return Err(Problem::not_found());
    }
    let rows: String = app.sms.sent().iter().map(row).collect();
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
