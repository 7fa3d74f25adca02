//! The shape of what a client may send. A value that passes has no field left to doubt; who may say it is not asked here.

use crate::errors::Code;
use crate::ids::{ConversationId, MessageId};
use crate::limits::wire_limits::{CAPTION_CHARS_MAX, TEXT_CHARS_MAX};
use crate::wire::{self, Body, body::Kind};
use uuid::Uuid;

/// A refusal that names the field, never its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Invalid {
    pub code: Code,
    pub what: &'static str,
}

impl Invalid {
    pub const fn field(what: &'static str) -> Self {
        Self { code: Code::InvalidField, what }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SendBody {
    Plain(Body),
    /// The server fills in what it measured itself.
    Image {
        attachment: Uuid,
        caption: String,
    },
    Voice {
        attachment: Uuid,
    },
}

pub(crate) fn conversation(text: &str) -> Result<ConversationId, Invalid> {
    text.parse().map_err(|_| Invalid::field("conversation: a UUID is expected"))
}

/// Version 7 (RFC 9562), so that ids of one device sort by time.
pub(crate) fn message_id(text: &str) -> Result<MessageId, Invalid> {
    let id: MessageId = text.parse().map_err(|_| Invalid::field("id: a UUID is expected"))?;
    if id.0.get_version_num() == 7 { Ok(id) } else { Err(Invalid::field("id: a UUID of version 7 is expected")) }
}

/// The newest message is not 0 and not negative in anybody's language: 0 means a client that did not fill the field.
pub(crate) fn up_to(seq: u64) -> Result<u64, Invalid> {
    if seq == 0 { Err(Invalid::field("up_to_seq: 1 or more")) } else { Ok(seq) }
}

pub(crate) fn hash_prefix(bytes: &[u8]) -> Result<Option<[u8; 8]>, Invalid> {
    match bytes.len() {
        0 => Ok(None),
        8 => Ok(bytes.try_into().ok()),
        _ => Err(Invalid::field("hash_prefix: 8 bytes, or none")),
    }
}

pub(crate) fn body(body: Option<Body>) -> Result<SendBody, Invalid> {
    let kind = body.and_then(|body| body.kind).ok_or(Invalid::field("body: one kind is expected"))?;
    match kind {
        Kind::Text(text) => check_text(&text.text).map(|()| plain(Kind::Text(text))),
        Kind::Image(image) => check_image(image),
        Kind::Voice(voice) => Ok(SendBody::Voice { attachment: attachment(&voice.attachment)? }),
        Kind::Recall(recall) if recall.seq == 0 => Err(Invalid::field("body.recall.seq: 1 or more")),
        Kind::Recall(recall) => Ok(plain(Kind::Recall(recall))),
        // Written out, so that a new kind has to be decided on here (REG-13: nobody speaks in the server's name).
        Kind::Membership(_)
        | Kind::Consultation(_)
        | Kind::Consent(_)
        | Kind::Card(_)
        | Kind::CallInvited(_)
        | Kind::CallAccepted(_)
        | Kind::CallEnded(_)
        | Kind::Notice(_) => Err(Invalid { code: Code::ServerOnly, what: "body: only the server appends entries of this kind" }),
    }
}

fn plain(kind: Kind) -> SendBody {
    SendBody::Plain(Body { kind: Some(kind) })
}

fn check_text(text: &str) -> Result<(), Invalid> {
    let too_long = text.len() > 4 * TEXT_CHARS_MAX || text.chars().count() > TEXT_CHARS_MAX;
    if too_long {
        return Err(Invalid::field("body.text.text: 4,000 characters at most"));
    }
    if text.chars().all(char::is_whitespace) {
        return Err(Invalid::field("body.text.text: at least one character that is not a space"));
    }
    if text.contains('\0') { Err(Invalid::field("body.text.text: no NUL")) } else { Ok(()) }
}

fn check_image(image: wire::Image) -> Result<SendBody, Invalid> {
    if image.caption.chars().count() > CAPTION_CHARS_MAX || image.caption.contains('\0') {
        return Err(Invalid::field("body.image.caption: 200 characters at most, no NUL"));
    }
    Ok(SendBody::Image { attachment: attachment(&image.attachment)?, caption: image.caption })
}

fn attachment(text: &str) -> Result<Uuid, Invalid> {
    crate::ids::parse(text).map_err(|_| Invalid::field("attachment: a UUID is expected"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Option<Body> {
        Some(Body { kind: Some(Kind::Text(wire::Text { text: text.into(), reply_to_seq: 0 })) })
    }

    #[test]
    fn a_text_has_one_to_four_thousand_characters_whatever_their_bytes() {
        assert!(body(text(&"疼".repeat(4_000))).is_ok());
        assert!(body(text("\u{1F468}\u{200D}\u{1F469}\u{202E}")).is_ok(), "stored verbatim; showing it safely is the client's");
        for refused in ["", " \n\u{3000}", "a\0b", &"疼".repeat(4_001), &"\u{300}".repeat(100_000)] {
            assert_eq!(body(text(refused)).unwrap_err().code, Code::InvalidField);
        }
    }

    /// REG-13
    #[test]
    fn a_client_cannot_send_what_only_the_server_says() {
        for kind in [
            Kind::Membership(wire::Membership::default()),
            Kind::Consultation(wire::ConsultationChange::default()),
            Kind::Consent(wire::Consent::default()),
            Kind::Card(wire::Card::default()),
            Kind::CallInvited(wire::CallInvited::default()),
            Kind::CallAccepted(wire::CallAccepted::default()),
            Kind::CallEnded(wire::CallEnded::default()),
            Kind::Notice(wire::Notice::default()),
        ] {
            assert_eq!(body(Some(Body { kind: Some(kind) })).unwrap_err().code, Code::ServerOnly);
        }
    }

    #[test]
    fn ids_are_hyphenated_and_message_ids_of_version_7() {
        assert!(message_id("0190a5c8-7c1e-7b3a-9f0e-2f4b8d1c6a55").is_ok());
        for refused in [
            "",
            "0190a5c87c1e7b3a9f0e2f4b8d1c6a55",
            "{0190a5c8-7c1e-7b3a-9f0e-2f4b8d1c6a5}",
            "0190a5c8-7c1e-4b3a-9f0e-2f4b8d1c6a55",
            "../../../../../../../../etc/passwd00",
        ] {
            assert!(message_id(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_body_without_a_kind_is_no_body() {
        assert!(body(None).is_err());
        assert!(body(Some(Body { kind: None })).is_err());
    }
}
