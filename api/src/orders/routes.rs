//! What a patient may do with his orders: list them, look at one, ask for his money back.

use super::{Order, OrderFilter, OrderId, policy, queries, transition};
use crate::{
    authz::Actor,
    http::{Fields, Json, Page, PageQuery, Path, Problem, ProblemBody, Query},
    payments::{self, Asked, RefundReason},
    state::App,
};
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only orders of this part of the list.
    #[param(inline)]
    state: Option<OrderFilter>,
    /// From 1 to 10000; absent = 1.
    #[param(minimum = 1, maximum = 10_000)]
    page: Option<u32>,
    /// 1 to 50; absent = 10.
    #[param(minimum = 1, maximum = 50)]
    page_size: Option<u32>,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct RefundRequest {
    /// In the patient's words, 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    reason: String,
}

/// Own orders, the newest first (ORD-02, ORD-06).
#[utoipa::path(get, path = "/api/orders", tag = "orders", params(ListQuery), responses((status = 200, body = Page<Order>)))]
pub(super) async fn list(State(app): State<App>, actor: Actor, Query(query): Query<ListQuery>) -> Result<Json<Page<Order>>, Problem> {
    let page = PageQuery { page: query.page, page_size: query.page_size };
    let rows = queries::list(&app, &actor, query.state, page.window()?).await?;
    let total = queries::count(&app, &actor, query.state).await?;
    let mut orders = Vec::with_capacity(rows.len());
    for row in rows {
        let refunds = payments::refunds_of(&app, row.id).await?;
        orders.push(Order::new(row, refunds));
    }
    Ok(Json(page.answer(orders, total)))
}

/// One of the own orders.
#[utoipa::path(
    get, path = "/api/orders/{id}", tag = "orders", params(("id" = uuid::Uuid, Path, description = "`Order.id`")),
    responses((status = 200, body = Order), (status = 404, body = ProblemBody))
)]
pub(super) async fn get(State(app): State<App>, actor: Actor, Path(id): Path<OrderId>) -> Result<Json<Order>, Problem> {
    let row = queries::find(&app, &actor, id).await?.ok_or_else(Problem::not_found)?;
    let refunds = payments::refunds_of(&app, id).await?;
    Ok(Json(Order::new(row, refunds)))
}

/// Asks for the money back (ORD-03). Granted at once where the policy says so, else refused with its reason.
#[utoipa::path(
    post, path = "/api/orders/{id}/refund-requests", tag = "orders", params(("id" = uuid::Uuid, Path, description = "`Order.id`")), request_body = RefundRequest,
    responses(
        (status = 202, body = Order),
        (status = 409, body = ProblemBody, description = "`order_not_paid`, `refund_in_progress`, `refund_done`, `service_started`, `service_completed`")
    )
)]
pub(super) async fn request_refund(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<OrderId>,
    Json(request): Json<RefundRequest>,
) -> Result<(StatusCode, Json<Order>), Problem> {
    let mut fields = Fields::default();
    fields.length(&request.reason, 2..=200, "reason");
    fields.finish()?;
    queries::find(&app, &actor, id).await?.ok_or_else(Problem::not_found)?;
    let note_sealed = payments::seal_note(&app, actor.user, id, request.reason.trim()).await?;
    let mut tx = app.db.begin().await?;
    let row = queries::find_unscoped(&mut tx, id).await?;
    let inputs = policy::Inputs { state: row.state, refund_state: row.refund_state, stage: row.stage };
    let reason = match policy::decide(inputs)? {
        policy::Grant::BeforeAccept => RefundReason::BeforeAccept,
        policy::Grant::NotServed => RefundReason::NotServed,
    };
    let asked = Asked { by: actor.user, note_sealed };
    let inputs = serde_json::to_value(inputs).unwrap_or_default();
    transition::refund(&app, &mut tx, &row, reason, Some(asked), &inputs).await?;
    app.commit(tx).await?;
    let answer = get(State(app), actor, Path(id)).await?;
    Ok((StatusCode::ACCEPTED, answer))
}
