//! The record's row: sealed content, version, signature. The only place that opens or seals a record.

use super::content::Content;
use crate::{
    consultations::{
        Consultation, ConsultationId,
        trouble::{Trouble, words},
    },
    db::{Db, DbError, Tx},
    http::{Problem, codes},
    keys::Place,
    row, sql,
    state::App,
};
use chat::ids::{Timestamp, UserId};

row! {
    #[derive(Clone)]
    pub struct RecordRow {
        pub consultation_id: ConsultationId,
        pub patient_id: UserId,
        pub author_id: UserId,
        pub content_sealed: Vec<u8>,
        pub version: i64,
        pub updated_at: Timestamp,
        pub signed_at: Option<Timestamp>,
        pub signed_hash: Option<Vec<u8>>,
    }
}

impl std::fmt::Debug for RecordRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RecordRow({} v{})", self.consultation_id, self.version)
    }
}

/// The caller has found the consultation through its own scope.
pub async fn find(db: &Db, id: ConsultationId) -> Result<Option<RecordRow>, DbError> {
    db.first(sql!("SELECT * FROM records WHERE consultation_id = $1", id)).await
}

async fn find_in(tx: &mut Tx, id: ConsultationId) -> Result<Option<RecordRow>, DbError> {
    tx.first(sql!("SELECT * FROM records WHERE consultation_id = $1", id)).await
}

pub async fn completed_at(db: &Db, id: ConsultationId) -> Result<Option<Timestamp>, DbError> {
    Ok(find(db, id).await?.and_then(|row| row.signed_at))
}

pub async fn open(app: &App, row: &RecordRow) -> Result<Content, Trouble> {
    let key = app.keys.person(row.patient_id).await?;
    let plain = key.open(place(row.consultation_id), &row.content_sealed).map_err(|error| Trouble::Sealed(error.into()))?;
    serde_json::from_slice(&plain).map_err(|error| Trouble::Sealed(error.into()))
}

/// Saves the draft over the version it was made from; the new version. 0 = there is none yet.
pub async fn save(app: &App, tx: &mut Tx, it: &Consultation, content: &Content, from_version: i64) -> Result<i64, Problem> {
    let now = app.clock.now();
    let plain = serde_json::to_vec(content).map_err(DbError::from)?;
    let sealed = app.keys.person(it.patient).await?.seal(&app.entropy, place(it.id), &plain);
    let saved = if from_version == 0 {
        tx.run_one(sql!(
            "INSERT INTO records (consultation_id, tenant_id, patient_id, author_id, kind, content_sealed, version, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (consultation_id) DO NOTHING",
            it.id,
            it.tenant,
            it.patient,
            it.doctor_user,
            it.kind,
            sealed,
            1_i64,
            now
        ))
        .await?
    } else {
        tx.run_one(sql!(
            "UPDATE records SET content_sealed = $1, version = version + 1, updated_at = $2
             WHERE consultation_id = $3 AND version = $4 AND signed_at IS NULL",
            sealed,
            now,
            it.id,
            from_version
        ))
        .await?
    };
    if saved {
        return Ok(from_version + 1);
    }
    let signed = find_in(tx, it.id).await?.is_some_and(|row| row.signed_at.is_some());
    Err(if signed { words::RECORD_SIGNED } else { codes::VERSION_CONFLICT }.into())
}

/// What the record still lacks before the consultation can end.
pub async fn missing(app: &App, tx: &mut Tx, it: &Consultation) -> Result<Vec<&'static str>, Trouble> {
    let content = match find_in(tx, it.id).await? {
        Some(row) => open(app, &row).await?,
        None => Content::default(),
    };
    Ok(content.missing(it.kind))
}

/// Fixes the record in the transaction that ends the consultation. A record that is signed stays as it is.
pub async fn sign(app: &App, tx: &mut Tx, it: &Consultation) -> Result<(), Trouble> {
    let Some(row) = find_in(tx, it.id).await? else { return Err(DbError::Missing.into()) };
    if row.signed_at.is_some() {
        return Ok(());
    }
    let now = app.clock.now();
    let hash = open(app, &row).await?.signed_hash(it.id.0, row.author_id.0, now.0);
    tx.run(sql!("UPDATE records SET signed_at = $1, signed_hash = $2 WHERE consultation_id = $3 AND signed_at IS NULL", now, hash, it.id))
        .await?;
    crate::doctors::count_consultation(tx, it.doctor).await?;
    Ok(())
}

fn place(id: ConsultationId) -> Place {
    Place { table: "records", column: "content", row: id.0 }
}
