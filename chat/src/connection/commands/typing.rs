//! `typing`: told to the other members, kept nowhere. The client repeats it while it holds; nobody is told when it was lost.

use super::{Refused, look_as_member};
use crate::connection::{EphemeralKey, Link, validate};
use crate::errors::Code;
use crate::hub::Hub;
use crate::log::head::ConversationState;
use crate::wire::{SetTyping, Typing};
use std::sync::Arc;

pub(super) async fn run(hub: Arc<Hub>, link: Arc<Link>, typing: SetTyping) {
    if let Err(refused) = tell(&hub, &link, &typing).await {
        link.refuse(&hub, refused, "", &typing.conversation);
    }
}

async fn tell(hub: &Hub, link: &Link, typing: &SetTyping) -> Result<(), Refused> {
    let conversation = validate::conversation(&typing.conversation)?;
    let (head, _) = look_as_member(hub, link, conversation).await?;
    if head.state == ConversationState::Closed {
        return Err(Code::ConversationClosed.into());
    }
    let event = Typing { conversation: conversation.to_string(), user: link.user.to_string(), active: typing.active };
    hub.tell_members(&head, &event.into(), EphemeralKey::Typing(conversation, link.user), Some(link.user));
    Ok(())
}
