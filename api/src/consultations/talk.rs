//! What a list shows of a conversation: unread, last line, since when somebody waits. Read from the log at that moment;
//! no text of a message is ever kept in SQL.

use super::{intake::Intake, stored::Consultation, trouble::Trouble};
use crate::{http::Problem, state::App};
use chat::{
    ids::{Timestamp, UserId},
    wire::{self, body::Kind},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// More than anybody counts.
const UNREAD_MAX: usize = 99;
const LINE_CHARS_MAX: usize = 60;
const SUMMARY_CHARS_MAX: usize = 80;

#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Talk {
    /// Messages of the other side after the read mark, 99 at most.
    pub unread: usize,
    pub last_line: Option<String>,
    #[schema(value_type = Option<i64>)]
    pub last_at: Option<Timestamp>,
    /// Paid and not yet accepted: since when.
    #[schema(value_type = Option<i64>)]
    pub waiting_since: Option<Timestamp>,
    /// Beginning of the patient's own words (DOC-01).
    pub condition_summary: String,
}

pub async fn newest(app: &App, reader: UserId, it: &Consultation, intake: &Intake) -> Result<Talk, Problem> {
    let mut talk = Talk {
        unread: 0,
        last_line: None,
        last_at: None,
        waiting_since: it.paid_at.filter(|_| it.accepted_at.is_none() && !it.state.is_final()),
        condition_summary: shortened(intake.symptoms.trim(), SUMMARY_CHARS_MAX),
    };
    let head = app.log.head(it.conversation).await.map_err(Trouble::from)?;
    // Before he is a member the doctor reads the intake, not the talk.
    let Some(head) = head.filter(|head| head.members.iter().any(|member| member.user == reader)) else { return Ok(talk) };
    let marks = app.log.marks(it.conversation).await.map_err(Trouble::from)?;
    let read = marks.iter().find(|(user, _)| *user == reader).map_or(0, |(_, marks)| marks.read);
    let window = UNREAD_MAX as u64 * 2;
    let from = (read + 1).max(head.seq.saturating_sub(window) + 1).min(head.seq.max(1));
    let entries = app.log.read(it.conversation, from, UNREAD_MAX * 2).await.map_err(Trouble::from)?;
    let me = reader.to_string();
    talk.unread = entries.iter().filter(|entry| entry.seq > read && entry.sender != me && is_message(entry)).count().min(UNREAD_MAX);
    if let Some((line, at)) = entries.iter().rev().find_map(|entry| line_of(entry).map(|line| (line, entry.at_ms))) {
        talk.last_line = Some(line);
        talk.last_at = Some(Timestamp(at));
    } else {
        talk.last_line = older_line(app, it, from).await?;
    }
    Ok(talk)
}

/// Everything new was service entries: the last words are a little further back.
async fn older_line(app: &App, it: &Consultation, before: u64) -> Result<Option<String>, Problem> {
    let from = before.saturating_sub(20).max(1);
    let entries = app.log.read(it.conversation, from, 20).await.map_err(Trouble::from)?;
    Ok(entries.iter().rev().find_map(|entry| line_of(entry)))
}

fn kind(entry: &wire::Entry) -> Option<&Kind> {
    entry.body.as_ref()?.kind.as_ref()
}

fn is_message(entry: &wire::Entry) -> bool {
    matches!(kind(entry), Some(Kind::Text(_) | Kind::Image(_) | Kind::Voice(_)))
}

fn line_of(entry: &wire::Entry) -> Option<String> {
    Some(match kind(entry)? {
        Kind::Text(text) => shortened(&text.text, LINE_CHARS_MAX),
        Kind::Image(_) => "[图片]".to_owned(),
        Kind::Voice(_) => "[语音]".to_owned(),
        Kind::CallEnded(_) => "[通话]".to_owned(),
        _ => return None,
    })
}

fn shortened(text: &str, chars_max: usize) -> String {
    let line = text.replace(['\n', '\r'], " ");
    match line.char_indices().nth(chars_max) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

impl std::fmt::Debug for Talk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Talk(***)")
    }
}
