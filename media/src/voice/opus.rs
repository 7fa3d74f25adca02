//! Opus packets into fresh Ogg pages (RFC 7845). Packets are measured by their table of contents (RFC 6716, section 3.1).

use super::{Length, Track};
use crate::MediaError;
use crate::attachments::ProcessedVoice;
use ogg::{PacketWriteEndInfo, PacketWriter};

const RATE: u32 = 48_000;
/// A packet holds 120 ms at most.
const PACKET_SAMPLES_MAX: u64 = 5_760;
const PRE_SKIP_MAX: u16 = 5_760;
const PAGE_SAMPLES: u64 = RATE as u64;
const SERIAL: u32 = 1;

pub(super) fn remux(track: &mut Track, max_ms: u32) -> Result<ProcessedVoice, MediaError> {
    let head = Head::read(track.parameters.extra_data.as_deref().unwrap_or_default())?;
    let mut packets = Vec::new();
    let mut length = Length::new(RATE, max_ms);
    while let Some(packet) = track.next()? {
        length.add(samples_of(&packet.data).ok_or(MediaError::Undecodable)?)?;
        packets.push(packet.data);
    }
    let duration_ms = length.ms(u64::from(head.pre_skip));
    if duration_ms == 0 {
        return Err(MediaError::Undecodable);
    }
    let bytes = write(&head, packets).map_err(|_| MediaError::Undecodable)?;
    Ok(ProcessedVoice { mime: "audio/ogg", bytes: bytes.into(), duration_ms })
}

struct Head {
    channels: u8,
    pre_skip: u16,
}

impl Head {
    fn read(bytes: &[u8]) -> Result<Self, MediaError> {
        let rest = bytes.strip_prefix(b"OpusHead").ok_or(MediaError::Undecodable)?;
        let [version, channels, skip_first, skip_second, _rate @ .., family] = rest.get(..11).ok_or(MediaError::Undecodable)? else {
            return Err(MediaError::Undecodable);
        };
        // Family 0: mono or stereo. Surround is no voice message.
        if !(1..=2).contains(channels) || *family != 0 {
            return Err(MediaError::UnsupportedCodec);
        }
        // Version 0 is the `dOps` box of MP4, which is big-endian; Ogg's and Matroska's header is little-endian.
        let skip = [*skip_first, *skip_second];
        let pre_skip = if *version == 0 { u16::from_be_bytes(skip) } else { u16::from_le_bytes(skip) };
        if pre_skip > PRE_SKIP_MAX {
            return Err(MediaError::Undecodable);
        }
        Ok(Self { channels: *channels, pre_skip })
    }

    fn write(&self) -> Vec<u8> {
        let mut head = b"OpusHead\x01".to_vec();
        head.push(self.channels);
        head.extend(self.pre_skip.to_le_bytes());
        head.extend(RATE.to_le_bytes());
        head.extend([0, 0, 0]); // gain, mapping family
        head
    }
}

/// Vendor and no comments.
fn tags() -> Vec<u8> {
    let vendor = b"wenzhen";
    [b"OpusTags", &(vendor.len() as u32).to_le_bytes()[..], vendor, &[0; 4]].concat()
}

fn write(head: &Head, packets: Vec<Box<[u8]>>) -> std::io::Result<Vec<u8>> {
    let mut writer = PacketWriter::new(Vec::new());
    writer.write_packet(head.write(), SERIAL, PacketWriteEndInfo::EndPage, 0)?;
    writer.write_packet(tags(), SERIAL, PacketWriteEndInfo::EndPage, 0)?;
    let last = packets.len().saturating_sub(1);
    let (mut position, mut page_began) = (0, 0);
    for (number, packet) in packets.into_iter().enumerate() {
        position += samples_of(&packet).unwrap_or_default();
        let end = match number == last {
            true => PacketWriteEndInfo::EndStream,
            false if position - page_began >= PAGE_SAMPLES => PacketWriteEndInfo::EndPage,
            false => PacketWriteEndInfo::NormalPacket,
        };
        if end == PacketWriteEndInfo::EndPage {
            page_began = position;
        }
        writer.write_packet(packet.into_vec(), SERIAL, end, position)?;
    }
    Ok(writer.into_inner())
}

/// At 48 kHz; `None` when the packet is not one of RFC 6716.
pub(super) fn samples_of(packet: &[u8]) -> Option<u64> {
    let contents = *packet.first()?;
    let config = usize::from(contents >> 3);
    let frame = match config {
        0..12 => [480, 960, 1920, 2880][config % 4],
        12..16 => [480, 960][config % 2],
        _ => [120, 240, 480, 960][config % 4],
    };
    let frames = match contents & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u64::from(packet.get(1)? & 0x3F),
    };
    let samples = frame * frames;
    (samples > 0 && samples <= PACKET_SAMPLES_MAX).then_some(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_measured_by_its_table_of_contents() {
        assert_eq!(samples_of(&[0b1111_1000, 0]), Some(960), "CELT, 20 ms, one frame");
        assert_eq!(samples_of(&[0b0000_1001]), Some(1_920), "SILK, 2 × 20 ms");
        assert_eq!(samples_of(&[0b1111_1011, 6]), Some(5_760), "120 ms");
        assert_eq!(samples_of(&[0b1111_1011, 7]), None, "140 ms");
        assert_eq!(samples_of(&[0b1111_1011, 0]), None, "no frame");
        assert_eq!(samples_of(&[0b1111_1011]), None, "cut off");
        assert_eq!(samples_of(&[]), None);
    }
}
