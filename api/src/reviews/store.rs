//! The rows of reviews and their statements.

use crate::{
    authz::Actor,
    consultations::ConsultationId,
    db::{Db, DbError, Tx},
    doctors::DoctorId,
    row, sql, text_enum,
};
use chat::ids::{Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

text_enum! {
    pub enum ReviewState { Pending = "pending", Shown = "shown", Hidden = "hidden" }
}

row! {
    #[derive(Clone)]
    pub struct ReviewRow {
        pub id: Uuid,
        pub consultation_id: ConsultationId,
        pub doctor_id: DoctorId,
        pub patient_id: UserId,
        pub score: i64,
        pub body: String,
        pub tags: String,
        pub anonymous: bool,
        pub state: ReviewState,
        pub created_at: Timestamp,
    }
}

impl std::fmt::Debug for ReviewRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ReviewRow({} {})", self.id, self.state)
    }
}

impl ReviewRow {
    pub fn tags(&self) -> Vec<String> {
        self.tags.split('\n').filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
    }
}

/// As its author sees it on his consultation.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OwnReview {
    pub score: i64,
    pub text: String,
    pub tags: Vec<String>,
    pub anonymous: bool,
    pub state: ReviewState,
    #[schema(value_type = i64)]
    pub created_at: Timestamp,
}

/// The caller has found the consultation as its patient.
pub async fn own(db: &Db, id: ConsultationId) -> Result<Option<OwnReview>, DbError> {
    let row: Option<ReviewRow> = db.first(sql!("SELECT * FROM reviews WHERE consultation_id = $1", id)).await?;
    Ok(row.map(|row| OwnReview {
        score: row.score,
        tags: row.tags(),
        text: row.body,
        anonymous: row.anonymous,
        state: row.state,
        created_at: row.created_at,
    }))
}

/// False when the consultation has one already: the row is the lock.
pub async fn insert(tx: &mut Tx, actor: &Actor, row: &ReviewRow) -> Result<bool, DbError> {
    tx.run_one(sql!(
        "INSERT INTO reviews (id, consultation_id, tenant_id, doctor_id, patient_id, score, body, tags, anonymous, state, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (consultation_id) DO NOTHING",
        row.id,
        row.consultation_id,
        actor.tenant,
        row.doctor_id,
        row.patient_id,
        row.score,
        row.body,
        row.tags,
        row.anonymous,
        row.state,
        row.created_at
    ))
    .await
}

pub async fn find(tx: &mut Tx, actor: &Actor, id: Uuid) -> Result<Option<ReviewRow>, DbError> {
    tx.first(sql!("SELECT * FROM reviews WHERE id = $1 AND tenant_id = $2", id, actor.tenant)).await
}

/// Compare-and-set from the state that was looked at.
pub async fn decide(
    tx: &mut Tx,
    actor: &Actor,
    row: &ReviewRow,
    to: ReviewState,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<bool, DbError> {
    tx.run_one(sql!(
        "UPDATE reviews SET state = $1, decided_at = $2, decided_by = $3, hidden_reason = $4 WHERE id = $5 AND state = $6",
        to,
        now,
        actor.user,
        reason,
        row.id,
        row.state
    ))
    .await
}

pub async fn page_by_state(db: &Db, actor: &Actor, state: ReviewState, window: (i64, i64)) -> Result<(Vec<ReviewRow>, i64), DbError> {
    let items = db
        .all(sql!(
            "SELECT * FROM reviews WHERE tenant_id = $1 AND state = $2 ORDER BY created_at, id LIMIT $3 OFFSET $4",
            actor.tenant,
            state,
            window.0,
            window.1
        ))
        .await?;
    let total = db.scalar(sql!("SELECT COUNT(*) FROM reviews WHERE tenant_id = $1 AND state = $2", actor.tenant, state)).await?;
    Ok((items, total.unwrap_or(0)))
}

/// Reviews of the doctor that were let through before a moment, newest first. The order is by the hour: a precise time names people.
pub async fn page_of_doctor(db: &Db, doctor: DoctorId, before: Timestamp, window: (i64, i64)) -> Result<(Vec<ReviewRow>, i64), DbError> {
    let items = db
        .all(sql!(
            "SELECT * FROM reviews WHERE doctor_id = $1 AND state = 'shown' AND created_at < $2
             ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4",
            doctor,
            before,
            window.0,
            window.1
        ))
        .await?;
    let total = db
        .scalar(sql!("SELECT COUNT(*) FROM reviews WHERE doctor_id = $1 AND state = 'shown' AND created_at < $2", doctor, before))
        .await?;
    Ok((items, total.unwrap_or(0)))
}

/// How many let-through reviews were written in the period.
pub async fn shown_since(db: &Db, doctor: DoctorId, since: Timestamp) -> Result<i64, DbError> {
    let count = db
        .scalar(sql!("SELECT COUNT(*) FROM reviews WHERE doctor_id = $1 AND state = 'shown' AND created_at >= $2", doctor, since))
        .await?;
    Ok(count.unwrap_or(0))
}
