//! The head record, and the origin: what a conversation was before its first entry, with its wrapped key. The origin never changes.

use super::entry::{role_byte, role_from_byte};
use super::fields::{MalformedRow, Reader};
use crate::ids::{ConversationId, Timestamp};
use crate::log::head::{ConversationState, EntryHash, Head, LiveCall, LiveCallPhase, Member, RetentionClass};
use crate::seal::WrappedKey;
use crate::wire::CallMedia;

const VERSION: u8 = 1;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub head: Head,
    pub key: WrappedKey,
}

impl Origin {
    pub fn encode(&self) -> Vec<u8> {
        let mut row = self.key.0.to_vec();
        row.extend_from_slice(&encode_head(&self.head));
        row
    }

    pub fn decode(conversation: ConversationId, row: &[u8]) -> Result<Self, MalformedRow> {
        let mut reader = Reader::new(row);
        let key = WrappedKey(reader.array()?);
        Ok(Self { head: decode_head(conversation, reader.rest())?, key })
    }
}

pub fn encode_head(head: &Head) -> Vec<u8> {
    let mut row = Vec::with_capacity(112 + 34 * head.members.len());
    row.push(VERSION);
    row.extend_from_slice(head.tenant.as_bytes());
    row.extend_from_slice(head.subject.as_bytes());
    row.extend_from_slice(&head.seq.to_be_bytes());
    row.extend_from_slice(&head.hash.0);
    row.extend_from_slice(&head.last_at.0.to_be_bytes());
    row.push(match head.state {
        ConversationState::Waiting => 1,
        ConversationState::Open => 2,
        ConversationState::Closed => 3,
    });
    row.push(match head.retention {
        RetentionClass::Consultation => 1,
        RetentionClass::Service => 2,
    });
    encode_call(head.call.as_ref(), &mut row);
    let count = u16::try_from(head.members.len()).expect("a conversation has at most MEMBER_INTERVALS_MAX members");
    row.extend_from_slice(&count.to_be_bytes());
    for member in &head.members {
        row.extend_from_slice(member.user.as_bytes());
        row.push(role_byte(member.role));
        row.extend_from_slice(&member.visible_from.to_be_bytes());
        // No entry has seq 0, so 0 can stand for "has not left".
        row.extend_from_slice(&member.left_at.unwrap_or(0).to_be_bytes());
    }
    row
}

fn encode_call(call: Option<&LiveCall>, row: &mut Vec<u8>) {
    let Some(call) = call else {
        row.push(0);
        return;
    };
    row.push(match call.phase {
        LiveCallPhase::Ringing => 1,
        LiveCallPhase::Accepted => 2,
    });
    row.extend_from_slice(call.call.as_bytes());
    row.extend_from_slice(call.inviter.as_bytes());
    row.extend_from_slice(call.callee.as_bytes());
    row.push(u8::try_from(call.media as i32).expect("the schema numbers media below 256"));
    row.extend_from_slice(&call.deadline.0.to_be_bytes());
    row.extend_from_slice(&call.invited_seq.to_be_bytes());
}

pub fn decode_head(conversation: ConversationId, row: &[u8]) -> Result<Head, MalformedRow> {
    let mut reader = Reader::new(row);
    reader.version(VERSION)?;
    let mut head = Head {
        conversation,
        tenant: reader.id()?,
        subject: reader.id()?,
        seq: reader.u64()?,
        hash: EntryHash(reader.array()?),
        last_at: Timestamp(reader.i64()?),
        state: match reader.u8()? {
            1 => ConversationState::Waiting,
            2 => ConversationState::Open,
            3 => ConversationState::Closed,
            _ => return Err(MalformedRow::Value("state")),
        },
        retention: match reader.u8()? {
            1 => RetentionClass::Consultation,
            2 => RetentionClass::Service,
            _ => return Err(MalformedRow::Value("retention")),
        },
        call: decode_call(&mut reader)?,
        members: Vec::new(),
    };
    for _ in 0..reader.u16()? {
        head.members.push(Member {
            user: reader.id()?,
            role: role_from_byte(reader.u8()?)?,
            visible_from: reader.u64()?,
            left_at: Some(reader.u64()?).filter(|seq| *seq > 0),
        });
    }
    reader.end()?;
    Ok(head)
}

fn decode_call(reader: &mut Reader<'_>) -> Result<Option<LiveCall>, MalformedRow> {
    let phase = match reader.u8()? {
        0 => return Ok(None),
        1 => LiveCallPhase::Ringing,
        2 => LiveCallPhase::Accepted,
        _ => return Err(MalformedRow::Value("call phase")),
    };
    Ok(Some(LiveCall {
        phase,
        call: reader.id()?,
        inviter: reader.id()?,
        callee: reader.id()?,
        media: CallMedia::try_from(i32::from(reader.u8()?)).map_err(|_| MalformedRow::Value("media"))?,
        deadline: Timestamp(reader.i64()?),
        invited_seq: reader.u64()?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Entropy;
    use crate::wire::SenderRole;

    #[test]
    fn a_head_reads_back_with_and_without_a_call() {
        let entropy = Entropy::seeded(1);
        let at = Timestamp(9);
        let mut head = Head {
            conversation: entropy.id(at),
            tenant: entropy.id(at),
            subject: entropy.id(at),
            seq: 12,
            hash: EntryHash(entropy.bytes()),
            last_at: at,
            members: vec![
                Member { user: entropy.id(at), role: SenderRole::Patient, visible_from: 1, left_at: None },
                Member { user: entropy.id(at), role: SenderRole::Expert, visible_from: 7, left_at: Some(11) },
            ],
            state: ConversationState::Open,
            call: None,
            retention: RetentionClass::Consultation,
        };
        assert_eq!(decode_head(head.conversation, &encode_head(&head)).unwrap(), head);
        head.call = Some(LiveCall {
            call: entropy.id(at),
            inviter: entropy.id(at),
            callee: entropy.id(at),
            media: CallMedia::Video,
            phase: LiveCallPhase::Accepted,
            deadline: Timestamp(-3),
            invited_seq: 4,
        });
        let row = encode_head(&head);
        assert_eq!(decode_head(head.conversation, &row).unwrap(), head);
        for cut in 0..row.len() {
            assert!(decode_head(head.conversation, &row[..cut]).is_err(), "cut at {cut}");
        }
        let origin = Origin { head, key: WrappedKey(entropy.bytes()) };
        assert_eq!(Origin::decode(origin.head.conversation, &origin.encode()).unwrap(), origin);
    }
}
