//! The statements of consultations. Whoever asks for somebody's consultation comes first and filters.

use super::{
    machine::{Reply, State},
    notice::Given,
    stored::{Consultation, ConsultationId},
};
use crate::{
    authz::Actor,
    db::{Db, DbError, Tx},
    row, sql,
};
use chat::ids::{ConversationId, Timestamp, UserId};

pub async fn insert(tx: &mut Tx, it: &Consultation) -> Result<(), DbError> {
    tx.run(sql!(
        "INSERT INTO consultations (id, tenant_id, parent_id, patient_id, doctor_id, doctor_user_id, conversation_id, kind, channel,
             state, state_data, version, price_fen, intake_sealed, proof_sealed, created_at, paid_at, awaits_reply)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        it.id,
        it.tenant,
        it.parent,
        it.patient,
        it.doctor,
        it.doctor_user,
        it.conversation,
        it.kind,
        it.channel,
        it.state.word(),
        serde_json::to_string(&it.state)?,
        it.version,
        it.price_fen,
        it.sealed.intake,
        it.sealed.proof,
        it.created_at,
        it.paid_at,
        false
    ))
    .await?;
    Ok(())
}

/// Compare-and-set on the version; false when somebody else moved it meanwhile.
pub async fn save(tx: &mut Tx, it: &Consultation) -> Result<bool, DbError> {
    let awaits_reply = matches!(it.state, State::InProgress { visit } if matches!(visit.reply, Reply::DueBy(_)));
    tx.run_one(sql!(
        "UPDATE consultations SET state = $1, state_data = $2, version = $3, meets_conditions = $4, reason_sealed = $5, paid_at = $6,
             accepted_at = $7, over_at = $8, awaits_reply = $9
         WHERE id = $10 AND version = $11",
        it.state.word(),
        serde_json::to_string(&it.state)?,
        it.version,
        it.meets_conditions,
        it.sealed.reason,
        it.paid_at,
        it.accepted_at,
        it.state.over_at(),
        awaits_reply,
        it.id,
        it.version - 1
    ))
    .await
}

/// The actor's own: the patient's, or the doctor's once it was paid for (before that it does not concern him).
pub async fn find(tx: &mut Tx, actor: &Actor, id: ConsultationId) -> Result<Option<Consultation>, DbError> {
    tx.first(sql!(
        "SELECT * FROM consultations WHERE id = $1 AND tenant_id = $2
             AND (patient_id = $3 OR (doctor_user_id = $3 AND paid_at IS NOT NULL))",
        id,
        actor.tenant,
        actor.user
    ))
    .await
}

/// The same, outside of a transaction.
pub async fn get(db: &Db, actor: &Actor, id: ConsultationId) -> Result<Option<Consultation>, DbError> {
    db.first(sql!(
        "SELECT * FROM consultations WHERE id = $1 AND tenant_id = $2
             AND (patient_id = $3 OR (doctor_user_id = $3 AND paid_at IS NOT NULL))",
        id,
        actor.tenant,
        actor.user
    ))
    .await
}

pub async fn find_unscoped(tx: &mut Tx, id: ConsultationId) -> Result<Option<Consultation>, DbError> {
    tx.first(sql!("SELECT * FROM consultations WHERE id = $1", id)).await
}

pub async fn get_unscoped(db: &Db, id: ConsultationId) -> Result<Option<Consultation>, DbError> {
    db.first(sql!("SELECT * FROM consultations WHERE id = $1", id)).await
}

pub async fn of_conversation_unscoped(db: &Db, conversation: ConversationId) -> Result<Option<Consultation>, DbError> {
    db.first(sql!("SELECT * FROM consultations WHERE conversation_id = $1", conversation)).await
}

row! {
    pub struct Awaiting { pub id: ConsultationId, pub conversation_id: ConversationId, pub doctor_user_id: UserId }
    struct ConsentRow { user_id: UserId, kind: String, notice_version: String, text_hash: Vec<u8>, given_at: Timestamp }
    pub struct Count { pub state: String, pub channel: String, pub n: i64 }
}

/// Consultations whose doctor has accepted and not yet answered. Few at any moment, whatever the traffic.
pub async fn awaiting_reply_unscoped(db: &Db) -> Result<Vec<Awaiting>, DbError> {
    db.all(sql!("SELECT id, conversation_id, doctor_user_id FROM consultations WHERE awaits_reply = $1", true)).await
}

pub async fn in_progress_of_doctor(tx: &mut Tx, doctor: UserId) -> Result<i64, DbError> {
    let count = tx.scalar(sql!("SELECT COUNT(*) FROM consultations WHERE doctor_user_id = $1 AND state = 'in_progress'", doctor)).await?;
    Ok(count.unwrap_or(0))
}

/// Follow-ups that were used: those that came to nothing give the quota back.
pub async fn follow_ups_used(tx: &mut Tx, parent: ConsultationId) -> Result<i64, DbError> {
    let count = tx
        .scalar(sql!(
            "SELECT COUNT(*) FROM consultations WHERE parent_id = $1 AND state NOT IN ('rejected', 'cancelled', 'expired')",
            parent
        ))
        .await?;
    Ok(count.unwrap_or(0))
}

pub async fn follow_ups_used_by(db: &Db, parent: ConsultationId) -> Result<i64, DbError> {
    let count = db
        .scalar(sql!(
            "SELECT COUNT(*) FROM consultations WHERE parent_id = $1 AND state NOT IN ('rejected', 'cancelled', 'expired')",
            parent
        ))
        .await?;
    Ok(count.unwrap_or(0))
}

pub async fn page_of_patient(
    db: &Db,
    actor: &Actor,
    active: Option<bool>,
    window: (i64, i64),
) -> Result<(Vec<Consultation>, i64), DbError> {
    // NULL asks for both groups. A cast tells PostgreSQL the type of a parameter that stands alone.
    let items = db
        .all(sql!(
            "SELECT * FROM consultations WHERE patient_id = $1 AND tenant_id = $2
                 AND (CAST($3 AS BOOLEAN) IS NULL
                      OR CAST($3 AS BOOLEAN) = (state IN ('created', 'paid_waiting', 'in_progress', 'ending')))
             ORDER BY created_at DESC, id DESC LIMIT $4 OFFSET $5",
            actor.user,
            actor.tenant,
            active,
            window.0,
            window.1
        ))
        .await?;
    let total = db
        .scalar(sql!(
            "SELECT COUNT(*) FROM consultations WHERE patient_id = $1 AND tenant_id = $2
                 AND (CAST($3 AS BOOLEAN) IS NULL
                      OR CAST($3 AS BOOLEAN) = (state IN ('created', 'paid_waiting', 'in_progress', 'ending')))",
            actor.user,
            actor.tenant,
            active
        ))
        .await?;
    Ok((items, total.unwrap_or(0)))
}

/// DOC-01: who waits longest comes first.
pub async fn waiting_of_doctor(db: &Db, actor: &Actor, window: (i64, i64)) -> Result<Vec<Consultation>, DbError> {
    db.all(sql!(
        "SELECT * FROM consultations WHERE doctor_user_id = $1 AND tenant_id = $2 AND state = 'paid_waiting'
         ORDER BY paid_at, id LIMIT $3 OFFSET $4",
        actor.user,
        actor.tenant,
        window.0,
        window.1
    ))
    .await
}

/// DOC-02, with what waits for a record at the end of it.
pub async fn in_progress_page(db: &Db, actor: &Actor, window: (i64, i64)) -> Result<Vec<Consultation>, DbError> {
    db.all(sql!(
        "SELECT * FROM consultations WHERE doctor_user_id = $1 AND tenant_id = $2 AND state IN ('in_progress', 'ending', 'ended_no_record')
         ORDER BY accepted_at, id LIMIT $3 OFFSET $4",
        actor.user,
        actor.tenant,
        window.0,
        window.1
    ))
    .await
}

/// DOC-03: the newest first. What came to nothing before the doctor accepted is not his work.
pub async fn completed_of_doctor(db: &Db, actor: &Actor, window: (i64, i64)) -> Result<Vec<Consultation>, DbError> {
    db.all(sql!(
        "SELECT * FROM consultations WHERE doctor_user_id = $1 AND tenant_id = $2 AND accepted_at IS NOT NULL
             AND state IN ('ended', 'terminated', 'settled', 'expired')
         ORDER BY over_at DESC, id DESC LIMIT $3 OFFSET $4",
        actor.user,
        actor.tenant,
        window.0,
        window.1
    ))
    .await
}

/// Counts by state and channel of what the doctor's three lists hold.
pub async fn counts_of_doctor(db: &Db, actor: &Actor) -> Result<Vec<Count>, DbError> {
    db.all(sql!(
        "SELECT state, channel, COUNT(*) AS n FROM consultations WHERE doctor_user_id = $1 AND tenant_id = $2 AND paid_at IS NOT NULL
             AND (state IN ('paid_waiting', 'in_progress', 'ending', 'ended_no_record')
                  OR (accepted_at IS NOT NULL AND state IN ('ended', 'terminated', 'settled', 'expired')))
         GROUP BY state, channel",
        actor.user,
        actor.tenant
    ))
    .await
}

pub async fn add_history(
    tx: &mut Tx,
    it: &Consultation,
    (event, from): (&'static str, Option<&'static str>),
    actor: Option<UserId>,
    detail: Option<&str>,
    at: Timestamp,
) -> Result<(), DbError> {
    tx.run(sql!(
        "INSERT INTO consultation_history (consultation_id, version, event, from_state, to_state, actor_id, detail, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        it.id,
        it.version,
        event,
        from,
        it.state.word(),
        actor,
        detail,
        at
    ))
    .await?;
    Ok(())
}

/// The first time counts; a repeat changes nothing.
pub async fn add_consent(tx: &mut Tx, id: ConsultationId, given: &Given) -> Result<bool, DbError> {
    tx.run_one(sql!(
        "INSERT INTO consultation_consents (consultation_id, user_id, kind, notice_version, text_hash, given_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (consultation_id, user_id, kind) DO NOTHING",
        id,
        given.user,
        given.kind,
        given.version,
        given.text_hash,
        given.at
    ))
    .await
}

pub async fn consents(db: &Db, id: ConsultationId) -> Result<Vec<Given>, DbError> {
    let rows: Vec<ConsentRow> = db
        .all(sql!(
            "SELECT user_id, kind, notice_version, text_hash, given_at FROM consultation_consents
             WHERE consultation_id = $1 ORDER BY given_at, kind, user_id",
            id
        ))
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| Given { user: row.user_id, kind: row.kind, version: row.notice_version, text_hash: row.text_hash, at: row.given_at })
        .collect())
}

pub async fn cursor(db: &Db, consumer: &'static str) -> Result<u64, DbError> {
    Ok(db.scalar(sql!("SELECT position FROM log_cursors WHERE consumer = $1", consumer)).await?.unwrap_or(0))
}

pub async fn set_cursor(tx: &mut Tx, consumer: &'static str, position: u64) -> Result<(), DbError> {
    tx.run(sql!(
        "INSERT INTO log_cursors (consumer, position) VALUES ($1, $2)
         ON CONFLICT (consumer) DO UPDATE SET position = excluded.position",
        consumer,
        position
    ))
    .await?;
    Ok(())
}
