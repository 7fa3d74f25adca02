//! SQL of uploads.

use super::model::{AttachmentId, AttachmentKind, AttachmentState};
use crate::{
    authz::Actor,
    db::{Db, DbError, Tx},
    row, sql,
};
use chat::ids::{ConversationId, TenantId, Timestamp, UserId};
use uuid::Uuid;

row! {
    #[derive(Clone, Debug)]
    pub struct AttachmentRow {
        pub id: AttachmentId,
        pub uploader_id: UserId,
        pub kind: AttachmentKind,
        pub mime: String,
        pub bytes: i64,
        pub width_px: Option<u32>,
        pub height_px: Option<u32>,
        pub duration_ms: Option<u32>,
        pub blob_id: Uuid,
        pub state: AttachmentState,
        pub reader_id: Option<UserId>,
        pub conversation_id: Option<ConversationId>,
        pub message_id: Option<Uuid>,
    }
}

pub(super) async fn insert(tx: &mut Tx, tenant: TenantId, row: &AttachmentRow, now: Timestamp) -> Result<(), DbError> {
    tx.run(sql!(
        "INSERT INTO attachments (id, tenant_id, uploader_id, kind, mime, bytes, width_px, height_px, duration_ms, blob_id, state, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        row.id,
        tenant,
        row.uploader_id,
        row.kind,
        row.mime,
        row.bytes,
        row.width_px,
        row.height_px,
        row.duration_ms,
        row.blob_id,
        row.state,
        now
    ))
    .await?;
    Ok(())
}

/// Of the actor's hospital; whether he may see it is decided by [`super::download`].
pub(super) async fn find(db: &Db, actor: &Actor, id: AttachmentId) -> Result<Option<AttachmentRow>, DbError> {
    db.first(sql!(
        "SELECT id, uploader_id, kind, mime, bytes, width_px, height_px, duration_ms, blob_id, state, reader_id, conversation_id, message_id
         FROM attachments WHERE id = $1 AND tenant_id = $2 AND state <> 'discarded'",
        id,
        actor.tenant
    ))
    .await
}

pub(super) async fn find_unscoped(tx: &mut Tx, id: AttachmentId) -> Result<Option<AttachmentRow>, DbError> {
    tx.first(sql!(
        "SELECT id, uploader_id, kind, mime, bytes, width_px, height_px, duration_ms, blob_id, state, reader_id, conversation_id, message_id
         FROM attachments WHERE id = $1",
        id
    ))
    .await
}

row! { pub(super) struct Used { pub files: i64, pub bytes: i64 } }

pub(super) async fn used_since(tx: &mut Tx, user: UserId, since: Timestamp) -> Result<Used, DbError> {
    tx.one(sql!(
        "SELECT COUNT(*) AS files, CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS bytes FROM attachments WHERE uploader_id = $1 AND created_at > $2",
        user,
        since
    ))
    .await
}

/// The first message wins; false when it was taken, is somebody else's or of another kind.
pub(super) async fn take_for_message(
    tx: &mut Tx,
    tenant: TenantId,
    uploader: UserId,
    id: AttachmentId,
    kind: AttachmentKind,
    (conversation, message): (ConversationId, Uuid),
    now: Timestamp,
) -> Result<bool, DbError> {
    tx.run_one(sql!(
        "UPDATE attachments SET state = 'attached', conversation_id = $1, message_id = $2, attached_at = $3
         WHERE id = $4 AND tenant_id = $5 AND uploader_id = $6 AND kind = $7 AND state = 'uploaded'",
        conversation,
        message,
        now,
        id,
        tenant,
        uploader,
        kind
    ))
    .await
}

pub(super) async fn take_for_consultation(
    tx: &mut Tx,
    tenant: TenantId,
    uploader: UserId,
    id: AttachmentId,
    (consultation, conversation, reader): (Uuid, ConversationId, UserId),
    now: Timestamp,
) -> Result<bool, DbError> {
    tx.run_one(sql!(
        "UPDATE attachments SET state = 'attached', consultation_id = $1, conversation_id = $2, reader_id = $3, attached_at = $4
         WHERE id = $5 AND tenant_id = $6 AND uploader_id = $7 AND kind = 'image' AND state = 'uploaded'",
        consultation,
        conversation,
        reader,
        now,
        id,
        tenant,
        uploader
    ))
    .await
}

/// Only what nothing took; true also when it was being discarded before.
pub(super) async fn discard(tx: &mut Tx, id: AttachmentId) -> Result<bool, DbError> {
    tx.run_one(sql!("UPDATE attachments SET state = 'discarded' WHERE id = $1 AND state IN ('uploaded', 'discarded')", id)).await
}

pub(super) async fn delete_discarded(tx: &mut Tx, id: AttachmentId) -> Result<(), DbError> {
    tx.run(sql!("DELETE FROM attachments WHERE id = $1 AND state = 'discarded'", id)).await?;
    Ok(())
}
