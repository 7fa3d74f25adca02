//! Reads of clinical data by anybody but the patient: a row each, committed before the answer leaves (D.11-10).
//!
//! A hospital's rows are numbered from 1 and chained by SHA-256, so that a row that was changed, removed or put in between shows.
//! Writers take turns at the chain's head, on both engines. Says who looked at what and when, never what it said.

use crate::{
    authz::Actor,
    consultations::ConsultationId,
    db::{DbError, Tx},
    http::Problem,
    row, sql,
    state::App,
};
use chat::ids::{ConversationId, SessionId, TenantId, Timestamp, UserId};
use sha2::{Digest, Sha256};
use uuid::Uuid;

const PURPOSE: &str = "treatment";

row! {
    pub(super) struct ReadRow {
        pub id: Uuid,
        pub tenant_id: TenantId,
        pub consultation_id: Option<ConsultationId>,
        pub conversation_id: Option<ConversationId>,
        pub reader_id: UserId,
        pub session_id: SessionId,
        pub what: String,
        pub purpose: String,
        pub at: Timestamp,
        pub seq: i64,
        pub prev_hash: Vec<u8>,
        pub hash: Vec<u8>,
    }
    struct HeadRow { seq: i64, hash: Vec<u8> }
}

/// What was looked at.
#[derive(Clone, Copy)]
struct Seen {
    consultation: Option<ConsultationId>,
    conversation: Option<ConversationId>,
}

pub(crate) async fn note_read(app: &App, actor: &Actor, id: ConsultationId, what: &'static str) -> Result<(), Problem> {
    note_reads(app, actor, &[id], what).await
}

/// All in one transaction.
pub(crate) async fn note_reads(app: &App, actor: &Actor, ids: &[ConsultationId], what: &'static str) -> Result<(), Problem> {
    let seen: Vec<Seen> = ids.iter().map(|id| Seen { consultation: Some(*id), conversation: None }).collect();
    note(app, actor, &seen, what).await
}

/// Of what was said. A conversation may belong to no consultation.
pub(crate) async fn note_history_read(
    app: &App,
    actor: &Actor,
    conversation: ConversationId,
    consultation: Option<ConsultationId>,
    what: &'static str,
) -> Result<(), Problem> {
    note(app, actor, &[Seen { consultation, conversation: Some(conversation) }], what).await
}

async fn note(app: &App, actor: &Actor, seen: &[Seen], what: &'static str) -> Result<(), Problem> {
    if seen.is_empty() {
        return Ok(());
    }
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let (mut seq, mut prev_hash) = take_turn(&mut tx, actor.tenant, i64::try_from(seen.len()).unwrap_or(i64::MAX)).await?;
    for seen in seen {
        let mut row = ReadRow {
            id: app.entropy.uuid(now),
            tenant_id: actor.tenant,
            consultation_id: seen.consultation,
            conversation_id: seen.conversation,
            reader_id: actor.user,
            session_id: actor.session,
            what: what.to_owned(),
            purpose: PURPOSE.to_owned(),
            at: now,
            seq,
            prev_hash,
            hash: Vec::new(),
        };
        row.hash = row.computed_hash();
        insert(&mut tx, &row).await?;
        (seq, prev_hash) = (seq + 1, row.hash);
    }
    tx.run(sql!("UPDATE clinical_read_heads SET hash = $1 WHERE tenant_id = $2", prev_hash, actor.tenant)).await?;
    app.commit(tx).await?;
    Ok(())
}

/// Reserves `count` numbers: the first of them and the hash it follows. The head's row stays locked until the commit.
async fn take_turn(tx: &mut Tx, tenant: TenantId, count: i64) -> Result<(i64, Vec<u8>), DbError> {
    tx.run(sql!(
        "INSERT INTO clinical_read_heads (tenant_id, seq, hash) VALUES ($1, 0, $2) ON CONFLICT (tenant_id) DO NOTHING",
        tenant,
        origin(tenant)
    ))
    .await?;
    let head: HeadRow =
        tx.one(sql!("UPDATE clinical_read_heads SET seq = seq + $1 WHERE tenant_id = $2 RETURNING seq, hash", count, tenant)).await?;
    Ok((head.seq - count + 1, head.hash))
}

async fn insert(tx: &mut Tx, row: &ReadRow) -> Result<(), DbError> {
    tx.run(sql!(
        "INSERT INTO clinical_reads (id, tenant_id, consultation_id, conversation_id, reader_id, session_id, what, purpose, at, seq,
             prev_hash, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        row.id,
        row.tenant_id,
        row.consultation_id,
        row.conversation_id,
        row.reader_id,
        row.session_id,
        row.what,
        row.purpose,
        row.at,
        row.seq,
        row.prev_hash,
        row.hash
    ))
    .await?;
    Ok(())
}

/// What the first row of a hospital follows.
pub(super) fn origin(tenant: TenantId) -> Vec<u8> {
    Sha256::new().chain_update(b"wenzhen clinical reads v1").chain_update(tenant.as_bytes()).finalize().to_vec()
}

impl ReadRow {
    /// Fields of fixed length as they are (an absent id is the nil id, which nobody has), texts after their length in 8 bytes.
    pub(super) fn computed_hash(&self) -> Vec<u8> {
        let mut hash = Sha256::new()
            .chain_update(&self.prev_hash)
            .chain_update(self.tenant_id.as_bytes())
            .chain_update(self.seq.to_be_bytes())
            .chain_update(self.id.as_bytes())
            .chain_update(self.consultation_id.map_or(Uuid::nil(), |id| id.0).as_bytes())
            .chain_update(self.conversation_id.map_or(Uuid::nil(), |id| id.0).as_bytes())
            .chain_update(self.reader_id.as_bytes())
            .chain_update(self.session_id.as_bytes())
            .chain_update(self.at.0.to_be_bytes());
        for text in [&self.what, &self.purpose] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        hash.finalize().to_vec()
    }
}

#[cfg(test)]
mod tests;
