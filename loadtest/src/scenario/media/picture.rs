//! Pictures made of noise, of the size asked for: a baseline JPEG written coefficient by coefficient, and a PNG without compression.
//!
//! Noise is the worst a decoder meets: nothing in it is cheap. No transform is needed, since any coefficients are a picture.

use crate::seed::Seeded;

const MCU_BYTES: usize = 21;
const MCUS_MAX: usize = 12_000_000 / 64;
/// Bits of one coefficient after the first of its block: its code of 3 and its value of 1 to 6.
const COEFFICIENT_BITS: f64 = 6.5;

#[derive(Clone, Debug)]
pub(super) struct Picture {
    pub mime: &'static str,
    pub width_px: u32,
    pub height_px: u32,
    pub bytes: Vec<u8>,
}

/// About so many bytes; up to 12 megapixels, as a phone takes them.
pub(super) fn jpeg(bytes_wanted: usize, dice: &mut Seeded) -> Picture {
    let mcus = (bytes_wanted / MCU_BYTES).clamp(1, MCUS_MAX);
    let across = ((mcus as f64 * 4.0 / 3.0).sqrt() as usize).max(1);
    let down = (mcus / across).max(1);
    let (width, height) = (u16::try_from(across * 8).unwrap_or(u16::MAX), u16::try_from(down * 8).unwrap_or(u16::MAX));
    // Three blocks each, all with a first coefficient of about 8 bits and an end of 3.
    let bits_each = bytes_wanted as f64 * 8.0 / (across * down) as f64 / 3.0 - 11.0;
    let coefficients = ((bits_each / COEFFICIENT_BITS) as usize).clamp(1, 63);
    let mut bytes = jpeg_head(width, height);
    let mut bits = Bits::default();
    let mut levels = [0_i32; 3];
    for _ in 0..across * down {
        for level in &mut levels {
            let wanted = (dice.below(128) as i32) - 64;
            first(&mut bits, wanted - *level);
            *level = wanted;
            for _ in 0..coefficients {
                let draw = dice.next_u64();
                let size = 1 + (draw % 6) as u32;
                bits.put(size, 3); // codes 1 to 6: no zeros before, so many bits of value
                bits.put((draw >> 8) as u32 & ((1 << size) - 1), size);
            }
            if coefficients < 63 {
                bits.put(0, 3);
            }
        }
    }
    bytes.extend(bits.end());
    bytes.extend([0xff, 0xd9]);
    Picture { mime: "image/jpeg", width_px: width.into(), height_px: height.into(), bytes }
}

/// The difference of a block's mean to the one before, in JPEG's way: how many bits, then the bits.
fn first(bits: &mut Bits, difference: i32) {
    let size = 32 - difference.unsigned_abs().leading_zeros();
    bits.put(size, 4);
    let value = if difference < 0 { difference - 1 } else { difference };
    bits.put(value as u32 & ((1_u32 << size) - 1), size);
}

/// Everything before the coefficients: quantisation by 1, three full-size components, and codes of one length each.
fn jpeg_head(width: u16, height: u16) -> Vec<u8> {
    let mut head = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
    head.extend([1; 64]);
    head.extend([0xff, 0xc0, 0, 17, 8]);
    head.extend(height.to_be_bytes());
    head.extend(width.to_be_bytes());
    head.extend([3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
    // Means: 12 codes of 4 bits.
    head.extend([0xff, 0xc4, 0, 19 + 12, 0x00, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    head.extend(0..12);
    // The rest: 7 codes of 3 bits, the first of which ends a block.
    head.extend([0xff, 0xc4, 0, 19 + 7, 0x10, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    head.extend(0..7);
    head.extend([0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0]);
    head
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    pending: u64,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        self.pending = self.pending << count | u64::from(value);
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.pending >> self.count) as u8;
            self.bytes.push(byte);
            if byte == 0xff {
                self.bytes.push(0); // or it would be taken for a marker
            }
        }
    }

    fn end(mut self) -> Vec<u8> {
        self.put(0x7f, 7);
        self.bytes
    }
}

/// Three bytes of noise a pixel, stored as they are.
pub(super) fn png(bytes_wanted: usize, dice: &mut Seeded) -> Picture {
    let side = ((bytes_wanted as f64 / 3.0).sqrt() as u32).max(1);
    let row_bytes = side as usize * 3 + 1;
    let mut raw = vec![0; row_bytes * side as usize];
    for row in raw.chunks_mut(row_bytes) {
        for eight in row[1..].chunks_mut(8) {
            eight.copy_from_slice(&dice.next_u64().to_le_bytes()[..eight.len()]);
        }
    }
    Picture { mime: "image/png", width_px: side, height_px: side, bytes: png_of(side, side, &raw) }
}

/// `raw`: a filter byte and the samples of each row. May be less than the header says: then it is no picture.
pub(super) fn png_of(width: u32, height: u32, raw: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    chunk(&mut bytes, *b"IHDR", &header);
    let mut stored = vec![0x78, 0x01];
    let blocks = raw.chunks(0xffff).count();
    for (index, block) in raw.chunks(0xffff).enumerate() {
        let length = block.len() as u16;
        stored.push(u8::from(index + 1 == blocks));
        stored.extend(length.to_le_bytes());
        stored.extend((!length).to_le_bytes());
        stored.extend(block);
    }
    stored.extend(adler32(raw).to_be_bytes());
    chunk(&mut bytes, *b"IDAT", &stored);
    chunk(&mut bytes, *b"IEND", &[]);
    bytes
}

fn chunk(bytes: &mut Vec<u8>, name: [u8; 4], content: &[u8]) {
    bytes.extend((content.len() as u32).to_be_bytes());
    let from = bytes.len();
    bytes.extend(name);
    bytes.extend(content);
    let sum = crc32(&bytes[from..]);
    bytes.extend(sum.to_be_bytes());
}

fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut index = 0;
        while index < 256 {
            let (mut value, mut bit) = (index as u32, 0);
            while bit < 8 {
                value = if value & 1 == 1 { value >> 1 ^ 0xedb8_8320 } else { value >> 1 };
                bit += 1;
            }
            table[index] = value;
            index += 1;
        }
        table
    };
    !bytes.iter().fold(!0, |sum: u32, byte| sum >> 8 ^ TABLE[(sum as u8 ^ byte) as usize])
}

fn adler32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (1_u32, 0_u32);
    for block in bytes.chunks(5_552) {
        for byte in block {
            low += u32::from(*byte);
            high += low;
        }
        (low, high) = (low % 65_521, high % 65_521);
    }
    high << 16 | low
}

/// Width and height, if these bytes begin and end as a whole picture of that type.
pub(super) fn size_px(mime: &str, bytes: &[u8]) -> Option<(u32, u32)> {
    match mime {
        "image/png" => {
            let whole = bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.ends_with(b"IEND\xaeB`\x82");
            let number = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
            if whole { Some((number(16)?, number(20)?)) } else { None }
        }
        "image/jpeg" if bytes.ends_with(&[0xff, 0xd9]) => jpeg_size_px(bytes.strip_prefix(&[0xff, 0xd8])?),
        _ => None,
    }
}

fn jpeg_size_px(mut segments: &[u8]) -> Option<(u32, u32)> {
    loop {
        let [0xff, marker, high, low, content @ ..] = segments else { return None };
        let length = usize::from(u16::from_be_bytes([*high, *low])).checked_sub(2)?;
        if matches!(marker, 0xc0..=0xc2) {
            let number = |at: usize| Some(u32::from(u16::from_be_bytes([*content.get(at)?, *content.get(at + 1)?])));
            return Some((number(3)?, number(1)?));
        }
        segments = content.get(length..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_of_the_size_asked_for_and_name_their_measures() {
        let mut dice = Seeded::new(1, "pictures");
        for wanted in [3_000, 200_000, 2_000_000] {
            for made in [jpeg(wanted, &mut dice), png(wanted, &mut dice)] {
                let off = made.bytes.len() as f64 / wanted as f64;
                assert!((0.8..1.3).contains(&off), "{} bytes for {wanted}, {}", made.bytes.len(), made.mime);
                assert_eq!(size_px(made.mime, &made.bytes), Some((made.width_px, made.height_px)));
                assert_eq!(size_px(made.mime, &made.bytes[..made.bytes.len() / 2]), None, "half a picture is none");
            }
        }
        assert!(size_px("image/png", &jpeg(3_000, &mut dice).bytes).is_none());
    }

    #[test]
    fn the_sums_are_those_of_the_standards() {
        assert_eq!(crc32(b"IEND"), 0xae42_6082);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }
}
