//! Follows the conversation log with a durable cursor and tells SQL the one thing it needs: that the doctor has answered (CON-06).
//!
//! Messages themselves never reach SQL. Surprise: the cursor is only written when something was learned or many changes
//! were passed; reading a stretch of the feed twice changes nothing.

use super::{
    conversation,
    machine::Event,
    queries::{self, Awaiting},
    transition,
    trouble::Trouble,
};
use crate::state::App;
use chat::{ids::ConversationId, log::Change};
use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

const CONSUMER: &str = "consultations.replies";
const BATCH: usize = 1000;
/// Changes that may be read again after a restart.
const CURSOR_LAG_MAX: u64 = 10_000;

/// How far this process has read; ahead of what is stored.
#[derive(Debug, Default)]
pub struct Followed(AtomicU64);

/// Reads the feed to its end.
pub async fn catch_up(app: &App) -> Result<(), Trouble> {
    let stored = queries::cursor(&app.db, CONSUMER).await?;
    // In memory it may be ahead of what is stored.
    let mut position = app.followed.0.load(Ordering::SeqCst).max(stored);
    loop {
        let changes = app.log.changes(position, BATCH).await?;
        let learned = learn(app, &changes.rows).await?;
        let end = changes.rows.len() < BATCH;
        position = changes.cursor.max(position);
        if learned || position.saturating_sub(stored) > CURSOR_LAG_MAX {
            let mut tx = app.db.begin().await?;
            queries::set_cursor(&mut tx, CONSUMER, position).await?;
            app.commit(tx).await?;
        }
        app.followed.0.fetch_max(position, Ordering::SeqCst);
        if end {
            return Ok(());
        }
    }
}

/// Follows until shutdown.
pub async fn run(app: App) {
    let mut commits = app.log.watch_commits();
    loop {
        if let Err(error) = catch_up(&app).await {
            tracing::error!(error = %crate::http::causes(&error), "consultations.follower");
        }
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            changed = commits.changed() => if changed.is_err() { return },
        }
        // Traffic comes in bursts: one look for many messages.
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            () = tokio::time::sleep(std::time::Duration::from_millis(100)) => {}
        }
    }
}

/// True when a first answer was found and told to SQL.
async fn learn(app: &App, rows: &[Change]) -> Result<bool, Trouble> {
    if rows.is_empty() {
        return Ok(false);
    }
    let awaiting: HashMap<ConversationId, Awaiting> =
        queries::awaiting_reply_unscoped(&app.db).await?.into_iter().map(|row| (row.conversation_id, row)).collect();
    let mut learned = false;
    for change in rows {
        let Some(row) = awaiting.get(&change.conversation) else { continue };
        let entries = app.log.read(change.conversation, change.seq, 1).await?;
        let Some(entry) = entries.first().filter(|entry| conversation::is_doctors_answer(entry, row.doctor_user_id)) else { continue };
        let at = chat::ids::Timestamp(entry.at_ms);
        let mut tx = app.db.begin().await?;
        let Some(it) = queries::find_unscoped(&mut tx, row.id).await? else { continue };
        match transition::step(app, &mut tx, it, &Event::DoctorReplied { at }, None).await {
            Ok(_) => app.commit(tx).await?,
            // A second answer in the same stretch, or the consultation is over.
            Err(Trouble::Refused(_)) => continue,
            Err(error) => return Err(error),
        }
        learned = true;
    }
    Ok(learned)
}
