//! A doctor's prices (DOC-08), each inside the band of kind × channel × title that the hospital approved.
//! An order keeps the price it was made with, so a change here never touches a running consultation.

use super::{
    model::{DoctorId, Price, PriceBand},
    queries,
};
use crate::{
    authz::Actor,
    db::DbError,
    http::{Fields, Json, Problem},
    sql,
    state::App,
};
use axum::extract::State;

/// What he offers.
#[utoipa::path(get, path = "/api/doctor/prices", tag = "doctors", responses((status = 200, body = [Price])))]
pub(super) async fn get(State(app): State<App>, actor: Actor) -> Result<Json<Vec<Price>>, Problem> {
    let doctor = queries::own(&app, &actor).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(queries::prices(&app, doctor.id).await?))
}

/// What doctors of his title may offer, and for how much.
#[utoipa::path(get, path = "/api/doctor/price-bands", tag = "doctors", responses((status = 200, body = [PriceBand])))]
pub(super) async fn get_bands(State(app): State<App>, actor: Actor) -> Result<Json<Vec<PriceBand>>, Problem> {
    let doctor = queries::own(&app, &actor).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(queries::bands(&app, doctor.title).await?))
}

/// Replaces all prices at once; what is missing is offered no longer.
#[utoipa::path(
    put, path = "/api/doctor/prices", tag = "doctors", request_body = Vec<Price>,
    responses((status = 200, body = [Price]), (status = 422, body = crate::http::ProblemBody))
)]
pub(super) async fn replace(State(app): State<App>, actor: Actor, Json(prices): Json<Vec<Price>>) -> Result<Json<Vec<Price>>, Problem> {
    let doctor = queries::own(&app, &actor).await?.ok_or_else(Problem::not_found)?;
    check(&prices, &queries::bands(&app, doctor.title).await?)?;
    store(&app, doctor.id, &prices).await?;
    Ok(Json(queries::prices(&app, doctor.id).await?))
}

async fn store(app: &App, doctor: DoctorId, prices: &[Price]) -> Result<(), DbError> {
    let mut tx = app.db.begin().await?;
    tx.run(sql!("DELETE FROM doctor_prices WHERE doctor_id = $1", doctor)).await?;
    for price in prices {
        queries::insert_price(&mut tx, doctor, price).await?;
    }
    app.commit(tx).await
}

fn check(prices: &[Price], bands: &[PriceBand]) -> Result<(), Problem> {
    let mut fields = Fields::default();
    for (index, price) in prices.iter().enumerate() {
        let path = format!("[{index}].amount_fen");
        let twice = prices[..index].iter().any(|other| other.kind == price.kind && other.channel == price.channel);
        fields.check(!twice, path.clone(), "repeated", "同一服务只能有一个价格");
        match bands.iter().find(|band| band.kind == price.kind && band.channel == price.channel) {
            None => fields.refuse(path, "not_offered", "您的职称不提供该服务"),
            Some(band) => {
                let inside = (band.min_fen..=band.max_fen).contains(&price.amount_fen);
                let message = format!("应在 {} 到 {} 元之间", yuan(band.min_fen), yuan(band.max_fen));
                fields.check(inside, path, "outside_band", message);
            }
        }
    }
    fields.finish()
}

fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}
