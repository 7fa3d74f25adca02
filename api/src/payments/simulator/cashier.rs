//! The simulated cashier: a page where a person (or a browser test) pays an order or lets the payment fail.
//!
//! Server-rendered, without scripts, not part of the API, mounted only in the demo.

use super::{Simulator, book::PlacedOrder};
use crate::payments::wechat::types::TradeState;
use axum::{
    Form, Router,
    extract::{Path, Query, State},
    http::{HeaderName, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use serde::Deserialize;
use std::sync::Arc;

/// `GET|POST /demo/cashier/{prepay_id}`.
pub fn router<S: Clone + Send + Sync + 'static>(simulator: Arc<Simulator>) -> Router<S> {
    Router::new().route("/demo/cashier/{prepay_id}", get(show).post(act)).with_state(simulator)
}

#[derive(Debug, Deserialize)]
struct Return {
    /// A path of this site to go back to.
    return_to: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    action: Action,
    return_to: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Pay,
    Fail,
}

async fn show(State(simulator): State<Arc<Simulator>>, Path(prepay_id): Path<String>, Query(query): Query<Return>) -> Response {
    match simulator.book().order_of_prepay(&prepay_id) {
        Some(order) => page(StatusCode::OK, &order_markup(order, query.return_to.as_deref())),
        None => page(StatusCode::NOT_FOUND, "<p>没有这笔付款。</p>"),
    }
}

async fn act(State(simulator): State<Arc<Simulator>>, Path(prepay_id): Path<String>, Form(choice): Form<Choice>) -> Response {
    let done = match choice.action {
        Action::Pay => simulator.pay(&prepay_id),
        Action::Fail => simulator.fail(&prepay_id),
    };
    match (done, choice.return_to.filter(|path| is_local(path))) {
        (Ok(()), Some(path)) => Redirect::to(&path).into_response(),
        (Ok(()), None) => match choice.action {
            Action::Pay => page(StatusCode::OK, "<p role=\"status\">支付成功,可以关闭本页。</p>"),
            Action::Fail => page(StatusCode::OK, "<p role=\"status\">支付失败,可以返回重试。</p>"),
        },
        (Err(code), _) => page(StatusCode::CONFLICT, &format!("<p role=\"alert\">未能支付({code})。</p>")),
    }
}

/// Only a path of our own site: a cashier page must not send people elsewhere.
fn is_local(path: &str) -> bool {
    path.starts_with('/') && !path.starts_with("//") && !path.contains('\\') && path.bytes().all(|byte| byte.is_ascii_graphic())
}

fn order_markup(order: &PlacedOrder, return_to: Option<&str>) -> String {
    let (yuan, fen) = (order.amount.get() / 100, order.amount.get() % 100);
    let description = escape(&order.description);
    let buttons = match order.state {
        TradeState::NotPay | TradeState::PayError => {
            let back = return_to.filter(|path| is_local(path)).map(escape).unwrap_or_default();
            let hidden =
                if back.is_empty() { String::new() } else { format!("<input type=\"hidden\" name=\"return_to\" value=\"{back}\">") };
            format!(
                "<form method=\"post\">{hidden}<button name=\"action\" value=\"pay\">确认支付</button> \
                 <button name=\"action\" value=\"fail\">模拟支付失败</button></form>"
            )
        }
        TradeState::Success | TradeState::Refund => "<p role=\"status\">已支付</p>".into(),
        _ => "<p role=\"status\">订单已关闭</p>".into(),
    };
    format!("<p>{description}</p><p class=\"amount\">¥{yuan}.{fen:02}</p>{buttons}")
}

fn page(status: StatusCode, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>模拟收银台</title><style>body{{font:18px/1.6 system-ui,sans-serif;max-width:22rem;margin:3rem auto;padding:0 1rem}}\
         .amount{{font-size:2.4rem}}button{{font:inherit;padding:.6rem 1.2rem}}small{{color:#595959}}</style></head>\
         <body><main><h1>模拟收银台</h1>{body}<small>演示环境:不会扣款。</small></main></body></html>"
    );
    let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    (status, [(HeaderName::from_static("content-security-policy"), policy), (header::CACHE_CONTROL, "no-store")], Html(html))
        .into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page returns only to paths of its own site.
    #[test]
    fn goes_back_to_this_site_only() {
        assert!(is_local("/orders/1?a=b"));
        for elsewhere in ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nb", "", "javascript:alert(1)"] {
            assert!(!is_local(elsewhere), "{elsewhere}");
        }
    }
}
