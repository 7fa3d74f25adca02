//! `pull`: a page of history as this person may see it. Also where a client notices that the server's history is another one.

use super::{Refused, look};
use crate::connection::{Link, View, validate};
use crate::hub::Hub;
use crate::limits::wire_limits::{PAGE_BYTES_MAX, PULL_ENTRIES_DEFAULT, PULL_ENTRIES_MAX};
use crate::log::head::Head;
use crate::wire::{self, HistoryChanged, Page, Pull};
use prost::Message;
use std::sync::Arc;

pub(super) async fn pull(hub: Arc<Hub>, link: Arc<Link>, pull: Pull) {
    if let Err(refused) = answer(&hub, &link, &pull).await {
        link.refuse(&hub, refused, "", &pull.conversation);
    }
}

async fn answer(hub: &Hub, link: &Link, pull: &Pull) -> Result<(), Refused> {
    let conversation = validate::conversation(&pull.conversation)?;
    let prefix = validate::hash_prefix(&pull.hash_prefix)?;
    if pull.limit > PULL_ENTRIES_MAX {
        return Err(validate::Invalid::field("limit: 200 at most").into());
    }
    let limit = if pull.limit == 0 { PULL_ENTRIES_DEFAULT } else { pull.limit };
    let (head, view) = look(hub, link, conversation).await?;
    if let Some(prefix) = prefix
        && pull.from_seq > 0
        && !holds(hub, &view, pull.from_seq - 1, prefix).await?
    {
        return history_changed(hub, link, &head, &view).await;
    }
    let newest = pull.from_seq == 0;
    let from_seq = if newest { (view.newest() + 1).saturating_sub(u64::from(limit)).max(1) } else { pull.from_seq };
    let page = page(hub, &view, from_seq, limit).await?;
    link.reply(hub, &page.into());
    if newest { super::marks::tell_others_marks(hub, link, &head).await } else { Ok(()) }
}

/// Whether the entry at `seq` is the one the client knows. Beyond what he may know of, it is not.
pub(super) async fn holds(hub: &Hub, view: &View, seq: u64, prefix: [u8; 8]) -> Result<bool, Refused> {
    if seq > view.newest() {
        return Ok(false);
    }
    let hash = hub.log.hash_at(view.conversation, seq).await?;
    Ok(hash.is_some_and(|hash| hash.prefix() == prefix))
}

pub(super) async fn history_changed(hub: &Hub, link: &Link, head: &Head, view: &View) -> Result<(), Refused> {
    let told = super::resume::head_as_seen(hub, link, head, view).await?;
    link.reply(hub, &HistoryChanged { conversation: view.conversation.to_string(), head: Some(told) }.into());
    Ok(())
}

/// From `from_seq`, ending before it grows too large or leaves what he may know of.
pub(super) async fn page(hub: &Hub, view: &View, from_seq: u64, limit: u32) -> Result<Page, Refused> {
    let head_seq = view.newest();
    let wanted = (head_seq + 1).saturating_sub(from_seq).min(u64::from(limit));
    let stored = match usize::try_from(wanted) {
        Ok(0) | Err(_) => Vec::new(),
        Ok(wanted) => hub.log.read(view.conversation, from_seq, wanted).await?,
    };
    let mut bytes = 0;
    let mut entries: Vec<wire::Entry> = Vec::with_capacity(stored.len());
    for entry in stored {
        let shown = view.show(&entry);
        bytes += shown.encoded_len();
        if bytes > PAGE_BYTES_MAX && !entries.is_empty() {
            break;
        }
        entries.push(shown);
    }
    Ok(Page { conversation: view.conversation.to_string(), entries, head_seq, from_seq })
}
