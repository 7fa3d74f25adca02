//! What nothing took within a day goes: first marked, then its blob, then its row, so that a repeat finds where it stopped.

use super::{model::AttachmentId, queries};
use crate::{outbox::HandlerError, state::App, timers::Timer};
use media::BlobId;

pub(super) const UNATTACHED: &str = "uploads.unattached";
pub(super) const UNATTACHED_AFTER_MS: i64 = 24 * 60 * 60 * 1000;

pub(super) async fn fire(app: App, timer: Timer) -> Result<(), HandlerError> {
    let id = AttachmentId(timer.object);
    let mut tx = app.db.begin().await?;
    let Some(row) = queries::find_unscoped(&mut tx, id).await? else { return Ok(()) };
    if !queries::discard(&mut tx, id).await? {
        return Ok(()); // a consultation or a message took it
    }
    app.commit(tx).await?;
    app.attachments.delete(BlobId(row.blob_id)).await.map_err(|error| HandlerError::temporary(&error))?;
    let mut tx = app.db.begin().await?;
    queries::delete_discarded(&mut tx, id).await?;
    app.commit(tx).await?;
    Ok(())
}
