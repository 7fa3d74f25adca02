//! Where a message belongs: conversation, sender, number. Packed into the random part of its UUIDv7, so that any receiver can tell
//! whose message it is, and whether it was ever sent, without a table of ids.

use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Below 2^24.
    pub conversation: u32,
    /// Below 64.
    pub sender: u8,
    pub number: u32,
}

const LINE: &str = "医生您好，我最近总是头晕，血压有点高，早上起来更明显，想问问要不要调整用药。";

impl Place {
    /// The layout leaves out the bits that UUIDv7 fixes (version, variant) and ends with a check against foreign ids.
    pub fn id(self, key: u64, unix_ms: u64) -> Uuid {
        let check = self.check(key);
        let mut random = [0; 10];
        random[0] = (check >> 8) as u8 & 0x0f;
        random[1] = check as u8;
        random[2] = self.sender & 0x3f;
        random[3..6].copy_from_slice(&self.conversation.to_be_bytes()[1..]);
        random[6..].copy_from_slice(&self.number.to_be_bytes());
        uuid::Builder::from_unix_timestamp_millis(unix_ms, &random).into_uuid()
    }

    /// None for an id this run did not make.
    pub fn read(key: u64, id: &str) -> Option<Self> {
        let id: Uuid = id.parse().ok()?;
        let bytes = id.as_bytes();
        let place = Self {
            conversation: u32::from_be_bytes([0, bytes[9], bytes[10], bytes[11]]),
            sender: bytes[8] & 0x3f,
            number: u32::from_be_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]),
        };
        let check = (u16::from(bytes[6] & 0x0f) << 8) | u16::from(bytes[7]);
        (id.get_version_num() == 7 && check == place.check(key)).then_some(place)
    }

    fn check(self, key: u64) -> u16 {
        (self.mixed(key) >> 52) as u16
    }

    /// The text that only this message has; the same wherever it is made again.
    pub fn text(self, key: u64) -> String {
        let mixed = self.mixed(key ^ 0x7465_7874);
        // Chat lines: mostly short, now and then a paragraph.
        let characters = if mixed.is_multiple_of(20) { 200 + mixed / 20 % 600 } else { 5 + mixed / 20 % 60 };
        let mut text = format!("{mixed:016x} ");
        text.extend(LINE.chars().cycle().take(characters as usize));
        text
    }

    /// splitmix64 over key and place: not secret, only well spread.
    fn mixed(self, key: u64) -> u64 {
        let place = (u64::from(self.conversation) << 40) | (u64::from(self.sender) << 32) | u64::from(self.number);
        let mut z = place.wrapping_add(key).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_from_its_id_and_foreign_ids_are_none() {
        let place = Place { conversation: 0x00ab_cdef, sender: 3, number: 4_000_000_000 };
        let id = place.id(7, 1_800_000_000_000);
        assert_eq!(Place::read(7, &id.to_string()), Some(place));
        let foreign = (0..4096_u64).filter(|key| Place::read(*key, &id.to_string()).is_some()).count();
        assert!(foreign < 10, "{foreign} of 4,096 other runs would take the id for theirs");
        assert_eq!(Place::read(7, "0190a5c8-7c1e-4b3a-9f0e-2f4b8d1c6a55"), None);
        assert_ne!(place.text(7), Place { number: 1, ..place }.text(7));
    }
}
