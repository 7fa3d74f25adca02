//! `send`: one entry into the log, acknowledged once it is on disk.

use super::{Refused, look_as_member};
use crate::clock::Stopwatch;
use crate::connection::Link;
use crate::connection::validate::{self, SendBody};
use crate::errors::Code;
use crate::hub::Hub;
use crate::ids::{ConversationId, MessageId, UserId};
use crate::log::{Draft, Guard};
use crate::wire::{self, Body, Image, Sent, Voice, body::Kind};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use uuid::Uuid;

/// Somebody wants to put an attachment into a message of a conversation in which he is a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttachmentClaim {
    pub user: UserId,
    pub conversation: ConversationId,
    pub message: MessageId,
    pub attachment: Uuid,
    pub kind: AttachmentKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachmentKind {
    Image,
    Voice,
}

/// What the server measured when the attachment was uploaded; the client's own figures are ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachmentFacts {
    Image { width_px: u32, height_px: u32 },
    Voice { duration_ms: u32 },
}

/// Given at construction by whoever owns uploads. The same claim again must give the same answer: a client repeats a send until it is
/// acknowledged. Unknown, foreign and wrong-kind attachments answer `unknown_attachment` alike.
pub type AttachmentCheck = Arc<dyn Fn(AttachmentClaim) -> BoxFuture<'static, Result<AttachmentFacts, Code>> + Send + Sync>;

pub(super) async fn run(hub: Arc<Hub>, link: Arc<Link>, send: wire::Send) {
    let watch = Stopwatch::start();
    let (id, conversation) = (send.id.clone(), send.conversation.clone());
    match append(&hub, &link, send).await {
        Ok(sent) => {
            link.reply(&hub, &sent.into());
            metrics::histogram!("wenzhen_ack_ms").record(watch.elapsed_ms());
        }
        Err(refused) => link.refuse(&hub, refused, &id, &conversation),
    }
}

async fn append(hub: &Hub, link: &Link, send: wire::Send) -> Result<Sent, Refused> {
    let conversation = validate::conversation(&send.conversation)?;
    let id = validate::message_id(&send.id)?;
    let body = match validate::body(send.body)? {
        SendBody::Plain(body) => body,
        SendBody::Image { attachment, caption } => {
            let claim = AttachmentClaim { user: link.user, conversation, message: id, attachment, kind: AttachmentKind::Image };
            image(attachment, caption, check(hub, link, claim).await?)?
        }
        SendBody::Voice { attachment } => {
            let claim = AttachmentClaim { user: link.user, conversation, message: id, attachment, kind: AttachmentKind::Voice };
            voice(attachment, check(hub, link, claim).await?)?
        }
    };
    let draft = Draft { sender: Some(link.user), id, body, urgent: false };
    let outcome = hub.log.append(conversation, vec![draft], vec![Guard::SenderMaySpeak]).await?;
    link.set_warm(conversation);
    let appended = outcome.entries.first().ok_or(Code::Internal)?;
    Ok(Sent {
        id: send.id,
        conversation: send.conversation,
        seq: appended.seq,
        at_ms: appended.at.0,
        durability: outcome.durability.into(),
        hash: appended.hash.0.to_vec().into(),
    })
}

/// Membership first: nobody learns about attachments through conversations that are not his.
async fn check(hub: &Hub, link: &Link, claim: AttachmentClaim) -> Result<AttachmentFacts, Refused> {
    look_as_member(hub, link, claim.conversation).await?;
    Ok((hub.attachments)(claim).await?)
}

fn image(attachment: Uuid, caption: String, facts: AttachmentFacts) -> Result<Body, Refused> {
    let AttachmentFacts::Image { width_px, height_px } = facts else { return Err(Code::UnknownAttachment.into()) };
    Ok(Body { kind: Some(Kind::Image(Image { attachment: attachment.to_string(), width_px, height_px, caption })) })
}

fn voice(attachment: Uuid, facts: AttachmentFacts) -> Result<Body, Refused> {
    let AttachmentFacts::Voice { duration_ms } = facts else { return Err(Code::UnknownAttachment.into()) };
    Ok(Body { kind: Some(Kind::Voice(Voice { attachment: attachment.to_string(), duration_ms })) })
}
