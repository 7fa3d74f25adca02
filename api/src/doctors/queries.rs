//! SQL of doctors. Public pages are filtered by tenant; what a doctor changes is found by his own account.

use super::{
    hours::Period,
    model::{DoctorId, Price, PriceBand, Title},
};
use crate::{
    authz::Actor,
    catalogue::{DepartmentId, Disease, DiseaseId},
    consultations::{Channel, Kind},
    db::{DbError, Tx},
    row, sql,
    state::App,
};
use chat::ids::{TenantId, Timestamp, UserId};

row! {
    #[derive(Clone)]
    pub(super) struct DoctorRow {
        pub id: DoctorId,
        pub user_id: UserId,
        pub department_id: DepartmentId,
        pub department_name: String,
        pub name: String,
        pub title: Title,
        pub hospital: String,
        pub licence_number_masked: String,
        pub licence_verified_at: Option<Timestamp>,
        pub identity_verified_at: Option<Timestamp>,
        pub avatar_url: Option<String>,
        pub expertise: String,
        pub biography: String,
        pub accepting: bool,
        pub hot_rank: Option<i64>,
        pub rating_sum: i64,
        pub rating_count: i64,
        pub consultation_count: i64,
    }
}

/// Filters that the store can decide; presence is asked of the hub afterwards.
#[derive(Default)]
pub(super) struct Filter {
    pub department: Option<DepartmentId>,
    pub title: Option<Title>,
    pub disease: Option<DiseaseId>,
    pub kind: Option<Kind>,
    pub channel: Option<Channel>,
}

/// All doctors that pass the filter. A hospital has hundreds: the page is cut after presence and relevance are known.
pub(super) async fn matching(app: &App, filter: &Filter) -> Result<Vec<DoctorRow>, DbError> {
    app.db
        .all(sql!(
            "SELECT o.id, o.user_id, o.department_id, d.name AS department_name, o.name, o.title, o.hospital, o.licence_number_masked,
                    o.licence_verified_at, o.identity_verified_at, o.avatar_url, o.expertise, o.biography, o.accepting, o.hot_rank,
                    o.rating_sum, o.rating_count, o.consultation_count
             FROM doctors o JOIN departments d ON d.id = o.department_id
             WHERE o.tenant_id = $1
               AND (o.department_id = $2 OR $2 IS NULL)
               AND (o.title = $3 OR $3 IS NULL)
               AND (EXISTS (SELECT 1 FROM doctor_diseases x WHERE x.doctor_id = o.id AND x.disease_id = $4) OR $4 IS NULL)
               AND (EXISTS (SELECT 1 FROM doctor_prices p WHERE p.doctor_id = o.id AND (p.kind = $5 OR $5 IS NULL)
                                                            AND (p.channel = $6 OR $6 IS NULL))
                    OR ($5 IS NULL AND $6 IS NULL))",
            app.tenant,
            filter.department,
            filter.title,
            filter.disease,
            filter.kind,
            filter.channel
        ))
        .await
}

pub(super) async fn find(app: &App, doctor: DoctorId) -> Result<Option<DoctorRow>, DbError> {
    app.db
        .first(sql!(
            "SELECT o.id, o.user_id, o.department_id, d.name AS department_name, o.name, o.title, o.hospital, o.licence_number_masked,
                    o.licence_verified_at, o.identity_verified_at, o.avatar_url, o.expertise, o.biography, o.accepting, o.hot_rank,
                    o.rating_sum, o.rating_count, o.consultation_count
             FROM doctors o JOIN departments d ON d.id = o.department_id
             WHERE o.tenant_id = $1 AND o.id = $2",
            app.tenant,
            doctor
        ))
        .await
}

/// The page of the doctor who is signed in.
pub(super) async fn own(app: &App, actor: &Actor) -> Result<Option<DoctorRow>, DbError> {
    app.db
        .first(sql!(
            "SELECT o.id, o.user_id, o.department_id, d.name AS department_name, o.name, o.title, o.hospital, o.licence_number_masked,
                    o.licence_verified_at, o.identity_verified_at, o.avatar_url, o.expertise, o.biography, o.accepting, o.hot_rank,
                    o.rating_sum, o.rating_count, o.consultation_count
             FROM doctors o JOIN departments d ON d.id = o.department_id
             WHERE o.user_id = $1 AND o.tenant_id = $2",
            actor.user,
            actor.tenant
        ))
        .await
}

pub(super) async fn prices(app: &App, doctor: DoctorId) -> Result<Vec<Price>, DbError> {
    app.db.all(sql!("SELECT kind, channel, amount_fen FROM doctor_prices WHERE doctor_id = $1 ORDER BY kind, amount_fen", doctor)).await
}

pub(super) async fn bands(app: &App, title: Title) -> Result<Vec<PriceBand>, DbError> {
    app.db
        .all(sql!(
            "SELECT kind, channel, min_fen, max_fen FROM price_bands WHERE tenant_id = $1 AND title = $2 ORDER BY kind, min_fen",
            app.tenant,
            title
        ))
        .await
}

pub(super) async fn hours(app: &App, doctor: DoctorId) -> Result<Vec<Period>, DbError> {
    app.db
        .all(sql!("SELECT weekday, start_minute, end_minute FROM doctor_hours WHERE doctor_id = $1 ORDER BY weekday, start_minute", doctor))
        .await
}

pub(super) async fn diseases(app: &App, doctor: DoctorId) -> Result<Vec<Disease>, DbError> {
    app.db
        .all(sql!(
            "SELECT s.id, s.name, s.code, s.department_id FROM diseases s JOIN doctor_diseases x ON x.disease_id = s.id
             WHERE x.doctor_id = $1 ORDER BY s.code, s.name",
            doctor
        ))
        .await
}

row! {
    struct OpenRow { doctor_id: DoctorId }
}

/// Doctors whose opening time holds that minute.
pub(super) async fn open_at(app: &App, weekday: i64, minute: i64) -> Result<Vec<DoctorId>, DbError> {
    let rows: Vec<OpenRow> = app
        .db
        .all(sql!(
            "SELECT h.doctor_id FROM doctor_hours h JOIN doctors o ON o.id = h.doctor_id
             WHERE o.tenant_id = $1 AND h.weekday = $2 AND h.start_minute <= $3 AND h.end_minute > $3",
            app.tenant,
            weekday,
            minute
        ))
        .await?;
    Ok(rows.into_iter().map(|row| row.doctor_id).collect())
}

row! {
    /// What the search index holds of a doctor.
    pub(crate) struct SearchableDoctor {
        pub id: DoctorId,
        pub name: String,
        pub department_name: String,
        pub expertise: String,
        pub biography: String,
    }
}

pub(crate) async fn searchable(app: &App) -> Result<Vec<SearchableDoctor>, DbError> {
    app.db
        .all(sql!(
            "SELECT o.id, o.name, d.name AS department_name, o.expertise, o.biography
             FROM doctors o JOIN departments d ON d.id = o.department_id WHERE o.tenant_id = $1",
            app.tenant
        ))
        .await
}

/// A vetted doctor, as the demo or the administration makes him.
pub(crate) struct NewDoctor {
    pub id: DoctorId,
    pub user: UserId,
    pub department: DepartmentId,
    pub name: String,
    pub title: Title,
    pub hospital: String,
    pub licence_number_sealed: Vec<u8>,
    pub licence_number_masked: String,
    pub expertise: String,
    pub biography: String,
    pub hot_rank: Option<i64>,
    pub diseases: Vec<DiseaseId>,
}

pub(crate) async fn insert_doctor(tx: &mut Tx, tenant: TenantId, new: &NewDoctor, now: Timestamp) -> Result<(), DbError> {
    tx.run(sql!(
        "INSERT INTO doctors (id, tenant_id, user_id, department_id, name, title, hospital, licence_number_sealed, licence_number_masked,
                              licence_verified_at, identity_verified_at, expertise, biography, accepting, hot_rank,
                              rating_sum, rating_count, consultation_count, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12, $13, $14, 0, 0, 0, $10)",
        new.id,
        tenant,
        new.user,
        new.department,
        new.name,
        new.title,
        new.hospital,
        new.licence_number_sealed,
        new.licence_number_masked,
        now,
        new.expertise,
        new.biography,
        true,
        new.hot_rank
    ))
    .await?;
    for disease in &new.diseases {
        tx.run(sql!("INSERT INTO doctor_diseases (doctor_id, disease_id) VALUES ($1, $2)", new.id, *disease)).await?;
    }
    Ok(())
}

pub(crate) async fn insert_price(tx: &mut Tx, doctor: DoctorId, price: &Price) -> Result<(), DbError> {
    tx.run(sql!(
        "INSERT INTO doctor_prices (doctor_id, kind, channel, amount_fen) VALUES ($1, $2, $3, $4)",
        doctor,
        price.kind,
        price.channel,
        price.amount_fen
    ))
    .await?;
    Ok(())
}

pub(crate) async fn insert_band(tx: &mut Tx, tenant: TenantId, title: Title, band: &PriceBand) -> Result<(), DbError> {
    tx.run(sql!(
        "INSERT INTO price_bands (tenant_id, title, kind, channel, min_fen, max_fen) VALUES ($1, $2, $3, $4, $5, $6)",
        tenant,
        title,
        band.kind,
        band.channel,
        band.min_fen,
        band.max_fen
    ))
    .await?;
    Ok(())
}

pub(crate) async fn insert_hours(tx: &mut Tx, doctor: DoctorId, period: Period) -> Result<(), DbError> {
    tx.run(sql!(
        "INSERT INTO doctor_hours (doctor_id, weekday, start_minute, end_minute) VALUES ($1, $2, $3, $4)",
        doctor,
        period.weekday,
        period.start_minute,
        period.end_minute
    ))
    .await?;
    Ok(())
}
