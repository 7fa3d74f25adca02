//! A stored entry: header, chain hash, sealed body. Conversation and seq are its key.

use super::fields::{MalformedRow, Reader};
use crate::ids::{ConversationId, MessageId, Timestamp, UserId};
use crate::log::chain;
use crate::log::head::EntryHash;
use crate::seal::Place;
use crate::wire::SenderRole;

const VERSION: u8 = 1;
const URGENT: u8 = 1;
const RECALL: u8 = 2;
const HEADER_BYTES: usize = 43;

/// Everything about an entry that is not its body, its key or its hash. Hashed as it is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryHeader {
    pub sender: Option<UserId>,
    pub sender_role: SenderRole,
    pub id: MessageId,
    pub at: Timestamp,
    pub urgent: bool,
    /// So that a recall of a recall is refused without opening the body.
    pub recall: bool,
}

impl EntryHeader {
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut header = [0; HEADER_BYTES];
        header[0] = VERSION;
        header[1] = u8::from(self.urgent) * URGENT + u8::from(self.recall) * RECALL;
        header[2] = role_byte(self.sender_role);
        header[3..19].copy_from_slice(self.sender.unwrap_or(UserId::NIL).as_bytes());
        header[19..35].copy_from_slice(self.id.as_bytes());
        header[35..].copy_from_slice(&self.at.0.to_be_bytes());
        header
    }

    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, MalformedRow> {
        reader.version(VERSION)?;
        let flags = reader.u8()?;
        if flags & !(URGENT | RECALL) != 0 {
            return Err(MalformedRow::Value("entry flags"));
        }
        let sender_role = role_from_byte(reader.u8()?)?;
        let sender = reader.id::<UserId>()?;
        Ok(Self {
            sender: (sender != UserId::NIL).then_some(sender),
            sender_role,
            id: reader.id()?,
            at: Timestamp(reader.i64()?),
            urgent: flags & URGENT != 0,
            recall: flags & RECALL != 0,
        })
    }
}

/// Borrowed from the engine's block.
#[derive(Debug)]
pub struct EntryRow<'a> {
    pub header: EntryHeader,
    pub hash: EntryHash,
    pub sealed: &'a [u8],
}

impl<'a> EntryRow<'a> {
    pub fn encode(header: &EntryHeader, hash: &EntryHash, sealed: &[u8]) -> Vec<u8> {
        let mut row = Vec::with_capacity(HEADER_BYTES + 32 + sealed.len());
        row.extend_from_slice(&header.encode());
        row.extend_from_slice(&hash.0);
        row.extend_from_slice(sealed);
        row
    }

    pub fn decode(row: &'a [u8]) -> Result<Self, MalformedRow> {
        let mut reader = Reader::new(row);
        let header = EntryHeader::decode(&mut reader)?;
        let hash = EntryHash(reader.array()?);
        Ok(Self { header, hash, sealed: reader.rest() })
    }

    pub fn place(&self, conversation: ConversationId) -> Place {
        Place { conversation, sender: self.header.sender, id: self.header.id }
    }

    /// Whether this row, at this seq, follows `previous`.
    pub fn follows(&self, previous: &EntryHash, conversation: ConversationId, seq: u64) -> bool {
        chain::next(previous, conversation, seq, &self.header, &chain::sealed_hash(self.sealed)) == self.hash
    }
}

pub fn role_byte(role: SenderRole) -> u8 {
    u8::try_from(role as i32).expect("the schema numbers roles below 256")
}

pub fn role_from_byte(byte: u8) -> Result<SenderRole, MalformedRow> {
    SenderRole::try_from(i32::from(byte)).map_err(|_| MalformedRow::Value("role"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Entropy;

    #[test]
    fn an_entry_row_reads_back_and_only_follows_its_predecessor() {
        let entropy = Entropy::seeded(1);
        let conversation = entropy.id(Timestamp(5));
        let header = EntryHeader {
            sender: Some(entropy.id(Timestamp(5))),
            sender_role: SenderRole::Doctor,
            id: entropy.id(Timestamp(5)),
            at: Timestamp(77),
            urgent: true,
            recall: false,
        };
        let previous = chain::beginning(conversation);
        let hash = chain::next(&previous, conversation, 1, &header, &chain::sealed_hash(b"sealed"));
        let bytes = EntryRow::encode(&header, &hash, b"sealed");
        let row = EntryRow::decode(&bytes).unwrap();
        assert_eq!((row.header, row.hash, row.sealed), (header, hash, &b"sealed"[..]));
        assert!(row.follows(&previous, conversation, 1));
        assert!(!row.follows(&previous, conversation, 2));
        assert!(!row.follows(&hash, conversation, 1));
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 4;
            let noticed = EntryRow::decode(&changed).map_or(true, |row| !row.follows(&previous, conversation, 1));
            assert!(noticed, "byte {at} changed without a trace");
        }
    }
}
