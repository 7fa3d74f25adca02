//! Voice messages to test with: what Chromium recorded from its fake microphone, and small files built here.

use super::opus;
use ogg::{PacketWriteEndInfo, PacketWriter};

pub const CHROMIUM_WEBM: &[u8] = include_bytes!("recorded/chromium.webm");
/// Opus in fragmented MP4.
pub const CHROMIUM_MP4: &[u8] = include_bytes!("recorded/chromium.mp4");

/// Ogg with tags that say where it was recorded, and as many 20 ms packets as asked for.
pub fn ogg(head: &[u8], tags: &[u8], packets: usize) -> Vec<u8> {
    let mut writer = PacketWriter::new(Vec::new());
    writer.write_packet(head.to_vec(), 7, PacketWriteEndInfo::EndPage, 0).unwrap();
    writer
        .write_packet(
            [b"OpusTags\0\0\0\0\x01\0\0\0", &(tags.len() as u32).to_le_bytes()[..], tags].concat(),
            7,
            PacketWriteEndInfo::EndPage,
            0,
        )
        .unwrap();
    for number in 1..=packets {
        let end = if number == packets { PacketWriteEndInfo::EndStream } else { PacketWriteEndInfo::NormalPacket };
        let packet = vec![0b1111_1000, 0xFF, 0xFE];
        assert_eq!(opus::samples_of(&packet), Some(960));
        writer.write_packet(packet, 7, end, number as u64 * 960).unwrap();
    }
    writer.into_inner()
}

pub const OPUS_HEAD: &[u8] = b"OpusHead\x01\x01\x38\x01\x80\xBB\0\0\0\0\0";

pub fn wav(rate: u32, channels: u16, bits: u16, frames: usize) -> Vec<u8> {
    let frame_bytes = channels * bits / 8;
    let data = vec![1; frames * usize::from(frame_bytes)];
    let note = b"LIST\x10\0\0\0INFOIART\x04\0\0\0Anna";
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + note.len() as u32 + data.len() as u32).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate.to_le_bytes());
    bytes.extend((rate * u32::from(frame_bytes)).to_le_bytes());
    bytes.extend(frame_bytes.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes.extend(note);
    bytes.extend(b"data");
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    bytes
}

/// Silent AAC-LC, mono, 44.1 kHz, in the plainest MP4 there is. `claimed` is the duration its header states, in samples.
pub fn mp4_aac(config: [u8; 2], frames: u32, claimed: u32) -> Vec<u8> {
    const FRAME: &[u8] = &[0x00, 0xC8, 0x00, 0x80, 0x23, 0x80];
    let media: Vec<u8> = FRAME.repeat(frames as usize);
    let file_type = atom(b"ftyp", &[b"M4A \0\0\0\0isom"]);
    let with_offset = |offset: u32| {
        let sample_sizes = [&[0; 4][..], &(FRAME.len() as u32).to_be_bytes(), &frames.to_be_bytes()].concat();
        let to_chunk = [1u32, 1, frames, 1].map(u32::to_be_bytes).concat();
        let table = atom(
            b"stbl",
            &[
                &atom(b"stsd", &[&[0, 0, 0, 0, 0, 0, 0, 1], &sample_entry(config)]),
                &atom(b"stts", &[&[0; 4], &[1, frames, 1_024].map(u32::to_be_bytes).concat()]),
                &atom(b"stsc", &[&[0; 4], &to_chunk]),
                &atom(b"stsz", &[&sample_sizes]),
                &atom(b"stco", &[&[0; 4], &[1, offset].map(u32::to_be_bytes).concat()]),
            ],
        );
        let data_reference = atom(b"dinf", &[&atom(b"dref", &[&[0, 0, 0, 0, 0, 0, 0, 1], &atom(b"url ", &[&[0, 0, 0, 1]])])]);
        let info = atom(b"minf", &[&atom(b"smhd", &[&[0; 8]]), &data_reference, &table]);
        let handler = atom(b"hdlr", &[&[0; 8], b"soun", &[0; 13]]);
        let times = [0, 0, 0, 44_100, claimed].map(u32::to_be_bytes).concat();
        let media_box = atom(b"mdia", &[&atom(b"mdhd", &[&times, &[0x55, 0xC4, 0, 0]]), &handler, &info]);
        let track_header = atom(b"tkhd", &[&[0, 0, 0, 7], &[0, 0, 1, 0, claimed].map(u32::to_be_bytes).concat(), &[0; 60]]);
        let movie_header = atom(b"mvhd", &[&times, &[0; 80]]);
        atom(b"moov", &[&movie_header, &atom(b"trak", &[&track_header, &media_box])])
    };
    let before = file_type.len() + with_offset(0).len() + 8;
    [file_type, with_offset(before as u32), atom(b"mdat", &[&media])].concat()
}

fn sample_entry(config: [u8; 2]) -> Vec<u8> {
    let specific = [&[0x05, 2][..], &config].concat();
    let decoder = [&[0x04, 13 + specific.len() as u8, 0x40, 0x15][..], &[0; 11], &specific].concat();
    let descriptor = [&[0x03, 3 + decoder.len() as u8 + 3, 0, 1, 0][..], &decoder, &[0x06, 1, 2]].concat();
    let elementary = atom(b"esds", &[&[0; 4], &descriptor]);
    let fixed = [&[0; 6][..], &[0, 1], &[0; 8], &[0, 1, 0, 16, 0, 0, 0, 0], &(44_100u32 << 16).to_be_bytes()].concat();
    atom(b"mp4a", &[&fixed, &elementary])
}

fn atom(name: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    [&(content.len() as u32 + 8).to_be_bytes()[..], name, &content].concat()
}
