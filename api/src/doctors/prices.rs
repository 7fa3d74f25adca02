//! A doctor's prices (DOC-08), each inside the band of kind × channel × title that the hospital approved.
//! An order keeps the price it was made with, so a change here never touches a running consultation.

use super::{
    model::{DoctorId, Price, PriceBand},
    queries,
};
use crate::{
    authz::Actor,
    consultations::{Channel, Kind},
    db::DbError,
    http::{Fields, Json, Problem},
    sql,
    state::App,
};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One thing a doctor of this title may offer.
#[derive(Serialize, ToSchema)]
pub(super) struct PriceSetting {
    kind: Kind,
    channel: Channel,
    /// Null: not offered.
    amount_fen: Option<i64>,
    min_fen: i64,
    max_fen: i64,
}

#[derive(Serialize, ToSchema)]
pub(super) struct PriceSettings {
    items: Vec<PriceSetting>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PriceChange {
    /// What is offered from now on; what is missing is offered no longer.
    items: Vec<Price>,
}

#[utoipa::path(get, path = "/api/doctor/prices", tag = "doctors", responses((status = 200, body = PriceSettings)))]
pub(super) async fn get(State(app): State<App>, actor: Actor) -> Result<Json<PriceSettings>, Problem> {
    let doctor = queries::own(&app, &actor).await?.ok_or_else(Problem::not_found)?;
    let prices = queries::prices(&app, doctor.id).await?;
    let setting = |band: PriceBand| PriceSetting {
        amount_fen: prices.iter().find(|price| price.kind == band.kind && price.channel == band.channel).map(|price| price.amount_fen),
        kind: band.kind,
        channel: band.channel,
        min_fen: band.min_fen,
        max_fen: band.max_fen,
    };
    Ok(Json(PriceSettings { items: queries::bands(&app, doctor.title).await?.into_iter().map(setting).collect() }))
}

#[utoipa::path(
    put, path = "/api/doctor/prices", tag = "doctors", request_body = PriceChange,
    responses((status = 200, body = PriceSettings), (status = 422, body = crate::http::ProblemBody))
)]
pub(super) async fn replace(State(app): State<App>, actor: Actor, Json(change): Json<PriceChange>) -> Result<Json<PriceSettings>, Problem> {
    let doctor = queries::own(&app, &actor).await?.ok_or_else(Problem::not_found)?;
    check(&change.items, &queries::bands(&app, doctor.title).await?)?;
    store(&app, doctor.id, &change.items).await?;
    get(State(app), actor).await
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
        let path = format!("items[{index}].amount_fen");
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
