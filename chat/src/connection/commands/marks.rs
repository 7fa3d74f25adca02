//! `delivered` and `read`: cumulative marks, stored without a sync of their own, told to the members as the latest value.

use super::{Refused, look_as_member};
use crate::connection::{EphemeralKey, Link, validate};
use crate::hub::Hub;
use crate::log::MarkKind;
use crate::log::head::Head;
use crate::wire::{MarkDelivered, MarkRead, Marks};
use std::sync::Arc;

pub(super) async fn delivered(hub: Arc<Hub>, link: Arc<Link>, mark: MarkDelivered) {
    set(&hub, &link, &mark.conversation, MarkKind::Delivered, mark.up_to_seq).await;
}

pub(super) async fn read(hub: Arc<Hub>, link: Arc<Link>, mark: MarkRead) {
    set(&hub, &link, &mark.conversation, MarkKind::Read, mark.up_to_seq).await;
}

async fn set(hub: &Hub, link: &Link, conversation: &str, kind: MarkKind, up_to: u64) {
    if let Err(refused) = store(hub, link, conversation, kind, up_to).await {
        link.refuse(hub, refused, "", conversation);
    }
}

async fn store(hub: &Hub, link: &Link, conversation: &str, kind: MarkKind, up_to: u64) -> Result<(), Refused> {
    let conversation = validate::conversation(conversation)?;
    let up_to = validate::up_to(up_to)?;
    let (head, view) = look_as_member(hub, link, conversation).await?;
    let marks = hub.log.mark(conversation, link.user, kind, up_to.min(view.newest())).await?;
    let event =
        Marks { conversation: conversation.to_string(), user: link.user.to_string(), delivered_seq: marks.delivered, read_seq: marks.read };
    hub.tell_members(&head, &event.into(), EphemeralKey::Marks(conversation, link.user), None);
    Ok(())
}

/// How far the others are, for a client that just opened the conversation.
pub(super) async fn tell_others_marks(hub: &Hub, link: &Link, head: &Head) -> Result<(), Refused> {
    for (user, marks) in hub.log.marks(head.conversation).await? {
        let is_member = head.members.iter().any(|member| member.user == user && member.left_at.is_none());
        if user != link.user && is_member {
            let (conversation, user) = (head.conversation.to_string(), user.to_string());
            link.reply(hub, &Marks { conversation, user, delivered_seq: marks.delivered, read_seq: marks.read }.into());
        }
    }
    Ok(())
}
