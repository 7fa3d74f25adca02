//! `resume`: after a reconnect, what changed since the cursors the client holds; nothing is replayed twice.

use super::history::{history_changed, holds, page};
use super::marks::tell_others_marks;
use super::{Refused, look};
use crate::connection::{Link, View, validate};
use crate::errors::Code;
use crate::hub::Hub;
use crate::ids::ConversationId;
use crate::limits::wire_limits::{CURSORS_MAX, HEADS_MAX, RESUME_PAGE_ENTRIES_MAX};
use crate::log::head::Head;
use crate::wire::{self, Heads, Resume};
use std::collections::HashMap;
use std::sync::Arc;

/// What the client knows of one conversation.
#[derive(Clone, Copy)]
struct Known {
    seq: u64,
    prefix: Option<[u8; 8]>,
}

pub(super) async fn run(hub: Arc<Hub>, link: Arc<Link>, resume: Resume) {
    if let Err(refused) = answer(&hub, &link, &resume).await {
        link.refuse(&hub, refused, "", "");
    }
}

async fn answer(hub: &Hub, link: &Link, resume: &Resume) -> Result<(), Refused> {
    if resume.cursors.len() > CURSORS_MAX {
        return Err(Refused { message: "cursors: 200 at most", ..Code::TooMany.into() });
    }
    let known = resume.cursors.iter().map(known).collect::<Result<HashMap<_, _>, _>>()?;
    let mut heads = Vec::new();
    for head in hub.log.conversations_of(link.user, HEADS_MAX).await? {
        let Some(view) = View::of(&head, link.user) else { continue };
        if known.get(&head.conversation).is_none_or(|known| known.seq != view.newest()) {
            heads.push(head_as_seen(hub, link, &head, &view).await?);
        }
    }
    link.reply(hub, &Heads { heads, lagging: false }.into());
    for cursor in &resume.cursors {
        let (conversation, known) = self::known(cursor)?;
        if let Err(refused) = catch_up(hub, link, conversation, known).await {
            link.refuse(hub, refused, "", &cursor.conversation);
        }
    }
    Ok(())
}

fn known(cursor: &wire::Cursor) -> Result<(ConversationId, Known), Refused> {
    let conversation = validate::conversation(&cursor.conversation)?;
    Ok((conversation, Known { seq: cursor.seq, prefix: validate::hash_prefix(&cursor.hash_prefix)? }))
}

async fn catch_up(hub: &Hub, link: &Link, conversation: ConversationId, known: Known) -> Result<(), Refused> {
    let (head, view) = look(hub, link, conversation).await?;
    let same_history = match known.prefix {
        Some(prefix) if known.seq > 0 => holds(hub, &view, known.seq, prefix).await?,
        _ => known.seq <= view.newest(),
    };
    if !same_history {
        return history_changed(hub, link, &head, &view).await;
    }
    let behind = view.newest() - known.seq;
    // A client that takes nothing gets no more pages: the heads told it where to pull.
    let has_room = link.mailbox.bytes() < hub.limits.queue_bytes_max;
    if has_room && (1..=RESUME_PAGE_ENTRIES_MAX).contains(&behind) {
        let page = page(hub, &view, known.seq + 1, u32::try_from(behind).unwrap_or(u32::MAX)).await?;
        link.reply(hub, &page.into());
    }
    tell_others_marks(hub, link, &head).await
}

/// The head record as far as this person may know it.
pub(super) async fn head_as_seen(hub: &Hub, link: &Link, head: &Head, view: &View) -> Result<wire::Head, Refused> {
    let seq = view.newest();
    let hash = if seq == head.seq { Some(head.hash) } else { hub.log.hash_at(head.conversation, seq).await? };
    let last_at_ms = if seq == head.seq { head.last_at.0 } else { last_at_ms(hub, head.conversation, seq).await? };
    let marks = hub.log.marks(head.conversation).await?;
    let mine = marks.iter().find(|(user, _)| *user == link.user).map(|(_, marks)| *marks).unwrap_or_default();
    Ok(wire::Head {
        conversation: head.conversation.to_string(),
        seq,
        hash_prefix: hash.map(|hash| hash.prefix().to_vec().into()).unwrap_or_default(),
        last_at_ms,
        read_seq: mine.read,
        delivered_seq: mine.delivered,
    })
}

async fn last_at_ms(hub: &Hub, conversation: ConversationId, seq: u64) -> Result<i64, Refused> {
    let entries = hub.log.read(conversation, seq, 1).await?;
    Ok(entries.first().map_or(0, |entry| entry.at_ms))
}
