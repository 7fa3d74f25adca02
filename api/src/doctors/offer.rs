//! What other slices ask of a doctor: whether and for how much he can be consulted, who he is, and to count what happened.

use super::{
    hours, list,
    model::{DoctorCard, DoctorId, Title},
    presence, queries,
};
use crate::{
    authz::Actor,
    catalogue::DepartmentId,
    consultations::{Channel, Kind},
    db::{DbError, Tx},
    sql,
    state::App,
};
use chat::ids::UserId;

/// A doctor as somebody who is about to order sees him.
#[derive(Clone, Debug)]
pub struct Offer {
    pub doctor: DoctorId,
    pub user: UserId,
    pub department: DepartmentId,
    pub name: String,
    pub title: Title,
    pub hospital: String,
    /// None: he does not offer this kind over this channel.
    pub price_fen: Option<i64>,
    /// Takes new patients.
    pub accepting: bool,
    /// Identity and licence are verified.
    pub certified: bool,
    /// It is his opening time. A voice or video consultation takes place only then (CON-07).
    pub open: bool,
}

pub async fn find_offer(app: &App, doctor: DoctorId, kind: Kind, channel: Channel) -> Result<Option<Offer>, DbError> {
    let Some(row) = queries::find(app, doctor).await? else { return Ok(None) };
    let price = queries::prices(app, doctor).await?.into_iter().find(|price| price.kind == kind && price.channel == channel);
    Ok(Some(Offer {
        doctor,
        user: row.user_id,
        department: row.department_id,
        name: row.name,
        title: row.title,
        hospital: row.hospital,
        price_fen: price.map(|price| price.amount_fen),
        accepting: row.accepting,
        certified: row.licence_verified_at.is_some() && row.identity_verified_at.is_some(),
        open: hours::is_open(&queries::hours(app, doctor).await?, app.clock.now()),
    }))
}

pub async fn find_card(app: &App, doctor: DoctorId) -> Result<Option<DoctorCard>, DbError> {
    let Some(row) = queries::find(app, doctor).await? else { return Ok(None) };
    let presence = presence::online_now(app).await?;
    Ok(Some(list::card(app, row, &presence).await?))
}

/// The page of the doctor who is signed in; none for anybody else.
pub async fn find_doctor_of(app: &App, actor: &Actor) -> Result<Option<DoctorId>, DbError> {
    Ok(queries::own(app, actor).await?.map(|row| row.id))
}

/// A review is shown (`count` 1) or withdrawn (-1).
pub async fn count_rating(tx: &mut Tx, doctor: DoctorId, score: i64, count: i64) -> Result<(), DbError> {
    tx.run(sql!(
        "UPDATE doctors SET rating_sum = rating_sum + $1, rating_count = rating_count + $2 WHERE id = $3",
        score * count,
        count,
        doctor
    ))
    .await?;
    Ok(())
}

/// A consultation has ended with a record.
pub async fn count_consultation(tx: &mut Tx, doctor: DoctorId) -> Result<(), DbError> {
    tx.run(sql!("UPDATE doctors SET consultation_count = consultation_count + 1 WHERE id = $1", doctor)).await?;
    Ok(())
}
