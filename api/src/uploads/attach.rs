//! Taking an upload: by a consultation's intake, inside its transaction, or by the first message that carries it.

use super::{
    model::{AttachmentId, AttachmentKind},
    queries::{self, AttachmentRow},
    sweep,
};
use crate::{
    db::{DbError, Tx},
    state::App,
    timers,
};
use chat::connection::{AttachmentClaim, AttachmentFacts, AttachmentKind as Claimed};
use chat::errors::Code;
use chat::ids::{ConversationId, UserId};
use futures_util::future::BoxFuture;
use uuid::Uuid;

/// Who takes it, and who may see it from then on.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    pub consultation: Uuid,
    pub conversation: ConversationId,
    pub uploader: UserId,
    /// The doctor, who reads the intake before he accepts.
    pub reader: UserId,
}

/// Pictures of an intake or a proof. `Some(n)`: the n-th is not an unused picture of this person, and the transaction must not commit.
pub async fn take_for_consultation(app: &App, tx: &mut Tx, taken: Taken, ids: &[Uuid]) -> Result<Option<usize>, DbError> {
    let by = (taken.consultation, taken.conversation, taken.reader);
    for (place, id) in ids.iter().enumerate() {
        let id = AttachmentId(*id);
        if !queries::take_for_consultation(tx, app.tenant, taken.uploader, id, by, app.clock.now()).await? {
            return Ok(Some(place));
        }
        timers::cancel(tx, sweep::UNATTACHED, id.0).await?;
    }
    Ok(None)
}

/// For the hub. The same claim again gives the same facts; another message with the same attachment is refused.
pub(crate) fn check_attachment(app: App, claim: AttachmentClaim) -> BoxFuture<'static, Result<AttachmentFacts, Code>> {
    Box::pin(async move {
        claim_for_message(&app, claim).await.unwrap_or_else(|error| {
            tracing::error!(error = %crate::http::causes(&error), "uploads.claim_failed");
            Err(Code::Unavailable)
        })
    })
}

async fn claim_for_message(app: &App, claim: AttachmentClaim) -> Result<Result<AttachmentFacts, Code>, DbError> {
    let id = AttachmentId(claim.attachment);
    let kind = match claim.kind {
        Claimed::Image => AttachmentKind::Image,
        Claimed::Voice => AttachmentKind::Voice,
    };
    let by = (claim.conversation, claim.message.0);
    let mut tx = app.db.begin().await?;
    let taken = queries::take_for_message(&mut tx, app.tenant, claim.user, id, kind, by, app.clock.now()).await?;
    let row = queries::find_unscoped(&mut tx, id).await?;
    if taken {
        timers::cancel(&mut tx, sweep::UNATTACHED, id.0).await?;
    }
    app.commit(tx).await?;
    let is_this = |row: &AttachmentRow| {
        row.uploader_id == claim.user && row.kind == kind && row.conversation_id == Some(by.0) && row.message_id == Some(by.1)
    };
    Ok(row.filter(is_this).as_ref().and_then(facts).ok_or(Code::UnknownAttachment))
}

fn facts(row: &AttachmentRow) -> Option<AttachmentFacts> {
    match row.kind {
        AttachmentKind::Image => Some(AttachmentFacts::Image { width_px: row.width_px?, height_px: row.height_px? }),
        AttachmentKind::Voice => Some(AttachmentFacts::Voice { duration_ms: row.duration_ms? }),
    }
}
