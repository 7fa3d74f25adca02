//! Facts as entries of the conversation log, with the guard under which each may stand.
//!
//! Ids are derived from the fact and hashed with a word of ours, so that a client, who chooses the call's id, cannot choose the id of
//! any entry of the server. `invited` depends on the call alone: an id of an old call cannot ring again.

use crate::call::{Call, Ended, Fact, Side};
use chat::ids::{CallId, MessageId, UserId};
use chat::log::{Draft, Guard};
use chat::wire::{self, CallEndReason, body::Kind};
use prost::Message;
use sha1::{Digest, Sha1};

pub(crate) struct Record {
    pub drafts: Vec<Draft>,
    pub guards: Vec<Guard>,
}

pub(crate) fn of_fact(call: &Call, fact: &Fact) -> Record {
    match fact {
        Fact::Invited { deadline } => Record {
            drafts: vec![invited(call, deadline.0)],
            guards: vec![Guard::SenderMaySpeak, Guard::StateIs(chat::log::head::ConversationState::Open), Guard::NoLiveCall],
        },
        Fact::Accepted { device } => Record {
            drafts: vec![draft(
                call.id,
                "accepted",
                Some(call.party(Side::Callee).user),
                Kind::CallAccepted(wire::CallAccepted { call: call.id.to_string(), device: device.to_string() }),
            )],
            guards: vec![Guard::CallRinging(call.id), Guard::NotClosed],
        },
        Fact::Ended(ended) => Record { drafts: vec![ended_draft(call, ended)], guards: vec![guard_of_end(call.id, ended.reason)] },
    }
}

/// The callee is in another call: the attempt is told in the transcript, and is over in the same commit.
pub(crate) fn of_busy(call: &Call, deadline_ms: i64) -> Record {
    let ended = Ended { reason: CallEndReason::Busy, connected_ms: 0, gaps: 0, by: None, media: call.media() };
    Record {
        drafts: vec![invited(call, deadline_ms), ended_draft(call, &ended)],
        guards: vec![Guard::SenderMaySpeak, Guard::StateIs(chat::log::head::ConversationState::Open), Guard::NoLiveCall],
    }
}

/// For a call that only the log knows.
pub(crate) fn of_end(call: &Call, reason: CallEndReason) -> Record {
    of_fact(call, &Fact::Ended(Ended { reason, connected_ms: 0, gaps: 0, by: None, media: call.media() }))
}

/// What belongs to ringing must not end a call that was answered meanwhile.
fn guard_of_end(call: CallId, reason: CallEndReason) -> Guard {
    match reason {
        CallEndReason::Rejected | CallEndReason::Busy | CallEndReason::Cancelled | CallEndReason::NoAnswer => Guard::CallRinging(call),
        _ => Guard::CallLive(call),
    }
}

fn invited(call: &Call, deadline_ms: i64) -> Draft {
    let body = wire::CallInvited {
        call: call.id.to_string(),
        media: call.media().into(),
        callee: call.party(Side::Callee).user.to_string(),
        deadline_ms,
    };
    Draft {
        sender: Some(call.party(Side::Inviter).user),
        id: entry_id(call.id, "invited", &[]),
        body: wire::Body { kind: Some(Kind::CallInvited(body)) },
        urgent: false,
    }
}

fn ended_draft(call: &Call, ended: &Ended) -> Draft {
    let by = ended.by.map(|side| call.party(side).user);
    let body = wire::CallEnded {
        call: call.id.to_string(),
        reason: ended.reason.into(),
        connected_ms: ended.connected_ms,
        gaps: ended.gaps,
        by: by.map(|user| user.to_string()).unwrap_or_default(),
        media: ended.media.into(),
    };
    draft(call.id, "ended", by, Kind::CallEnded(body))
}

fn draft(call: CallId, word: &str, sender: Option<UserId>, kind: Kind) -> Draft {
    let body = wire::Body { kind: Some(kind) };
    Draft { sender, id: entry_id(call, word, &body.encode_to_vec()), body, urgent: false }
}

/// UUIDv5 in a name space of ours (RFC 9562, section 5.5).
fn entry_id(call: CallId, word: &str, body: &[u8]) -> MessageId {
    let mut hash = Sha1::new();
    hash.update(b"wenzhen call entry");
    hash.update(call.as_bytes());
    hash.update(word.as_bytes());
    hash.update(body);
    let mut id = [0; 16];
    id.copy_from_slice(&hash.finalize()[..16]);
    MessageId(uuid::Builder::from_sha1_bytes(id).into_uuid())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat::entropy::Entropy;
    use chat::ids::Timestamp;

    #[test]
    fn the_same_fact_has_the_same_id_and_no_other_has_it() {
        let call: CallId = Entropy::seeded(3).id(Timestamp(1));
        let ids = [entry_id(call, "invited", &[]), entry_id(call, "ended", &[]), entry_id(call, "ended", &[1])];
        assert_eq!(ids[1], entry_id(call, "ended", &[]));
        assert!(ids[0] != ids[1] && ids[1] != ids[2]);
        assert!(ids.iter().all(|id| id.0 != call.0 && id.0.get_version_num() == 5));
    }
}
