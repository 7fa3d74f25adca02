//! The HTTP face of the simulated channel: the five paths our client calls, request signatures checked, answers signed.

use super::{
    Simulator,
    book::{Change, No, PlacedOrder, PlacedRefund},
    notices::rfc3339,
};
use crate::payments::wechat::{
    FRESH_S, SCHEMA, request_text,
    types::{Failure, PrepayAnswer, PrepayRequest, RefundAmount, RefundAnswer, RefundRequest, Trade, TradeAmount},
};
use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, Method, StatusCode, Uri},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use std::{collections::HashMap, sync::Arc};

pub(super) fn router(simulator: Arc<Simulator>) -> Router {
    Router::new()
        .route("/v3/pay/transactions/jsapi", post(place))
        .route("/v3/pay/transactions/native", post(place))
        .route("/v3/pay/transactions/out-trade-no/{number}", get(query))
        .route("/v3/pay/transactions/out-trade-no/{number}/close", post(close))
        .route("/v3/refund/domestic/refunds", post(refund))
        .route("/v3/refund/domestic/refunds/{number}", get(query_refund))
        .layer(middleware::from_fn_with_state(simulator.clone(), answer_signed))
        .with_state(simulator)
}

type Answer = Result<Response, No>;

impl IntoResponse for No {
    fn into_response(self) -> Response {
        let failure = Failure { code: self.code.into(), message: "simulated".into() };
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, axum::Json(failure)).into_response()
    }
}

async fn place(State(simulator): State<Arc<Simulator>>, uri: Uri, body: Bytes) -> Answer {
    let request: PrepayRequest = parse(&body)?;
    let jsapi = uri.path().ends_with("/jsapi");
    if request.mchid != super::MCHID || request.appid != super::APPID || jsapi != request.payer.is_some() {
        return Err(No { status: 400, code: "PARAM_ERROR" });
    }
    let order = simulator.change(|book, simulator| {
        let order = book.place(&request, simulator.new_prepay_id(), simulator.new_number("4200"))?;
        Ok((vec![Change::Order(order.clone())], order))
    })?;
    let code_url = (!jsapi).then(|| format!("weixin://wxpay/bizpayurl?pr={}", order.prepay_id));
    Ok(axum::Json(PrepayAnswer { prepay_id: jsapi.then_some(order.prepay_id), code_url }).into_response())
}

async fn query(State(simulator): State<Arc<Simulator>>, Path(number): Path<String>) -> Answer {
    let trade = trade_of(simulator.book().order(&number)?);
    Ok(axum::Json(trade).into_response())
}

async fn close(State(simulator): State<Arc<Simulator>>, Path(number): Path<String>) -> Answer {
    simulator.change(|book, _| Ok((vec![Change::Order(book.closed(&number)?)], ())))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn refund(State(simulator): State<Arc<Simulator>>, body: Bytes) -> Answer {
    let request: RefundRequest = parse(&body)?;
    let refund = simulator.refund(&request)?;
    Ok(axum::Json(answer_of(&refund)).into_response())
}

async fn query_refund(State(simulator): State<Arc<Simulator>>, Path(number): Path<String>) -> Answer {
    let answer = answer_of(simulator.book().refund_of(&number)?);
    Ok(axum::Json(answer).into_response())
}

/// Refuses what the merchant did not sign and signs whatever goes back, unless a fault says otherwise.
async fn answer_signed(
    State(simulator): State<Arc<Simulator>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    request: axum::extract::Request,
    next: middleware::Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, 64 * 1024).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let path = uri.path_and_query().map_or(uri.path(), |path| path.as_str());
    let answer = if signed_by_merchant(&simulator, &headers, method.as_str(), path, &body) {
        next.run(axum::extract::Request::from_parts(parts, body.into())).await
    } else {
        No { status: 401, code: "SIGN_ERROR" }.into_response()
    };
    if simulator.spend_fault(|faults| &mut faults.lose_answers) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if simulator.spend_fault(|faults| &mut faults.unsigned_answers) {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    match simulator.sign_headers(&simulator.platform, &body) {
        Ok(signed) => parts.headers.extend(signed),
        Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
    Response::from_parts(parts, body.into())
}

fn signed_by_merchant(simulator: &Simulator, headers: &HeaderMap, method: &str, path: &str, body: &[u8]) -> bool {
    let Some(fields) = headers.get("authorization").and_then(|value| value.to_str().ok()).and_then(authorization_fields) else {
        return false;
    };
    let field = |name| fields.get(name).copied().unwrap_or_default();
    let Ok(at_s) = field("timestamp").parse::<i64>() else { return false };
    let text = request_text(method, path, at_s, field("nonce_str"), body);
    field("mchid") == super::MCHID
        && (simulator.clock.now().0 / 1_000 - at_s).abs() < FRESH_S
        && simulator.merchants.check(field("serial_no"), &text, field("signature")).is_ok()
}

/// The fields of the header, in whatever order they stand.
fn authorization_fields(header: &str) -> Option<HashMap<&str, &str>> {
    let fields = header.strip_prefix(SCHEMA)?.trim_start().split(',');
    fields.map(|field| field.split_once("=\"").and_then(|(name, value)| Some((name.trim(), value.strip_suffix('"')?)))).collect()
}

fn parse<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, No> {
    serde_json::from_slice(body).map_err(|_| No { status: 400, code: "PARAM_ERROR" })
}

pub(super) fn trade_of(order: &PlacedOrder) -> Trade {
    let paid = order.paid_at_ms.is_some();
    Trade {
        appid: order.appid.clone(),
        mchid: order.mchid.clone(),
        out_trade_no: order.out_trade_no.clone(),
        transaction_id: paid.then(|| order.transaction_id.clone()),
        trade_state: order.state,
        success_time: order.paid_at_ms.map(rfc3339),
        amount: paid.then(|| TradeAmount { total: order.amount, currency: "CNY".into() }),
    }
}

fn answer_of(refund: &PlacedRefund) -> RefundAnswer {
    RefundAnswer {
        refund_id: refund.refund_id.clone(),
        out_refund_no: refund.out_refund_no.clone(),
        transaction_id: refund.transaction_id.clone(),
        out_trade_no: refund.out_trade_no.clone(),
        status: refund.status,
        amount: RefundAmount { total: refund.total, refund: refund.amount },
    }
}
