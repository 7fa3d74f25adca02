//! 16-bit PCM under a fresh RIFF header of 44 bytes. Read here and not by symphonia, whose chunk reader overflows on hostile sizes.

use super::Length;
use crate::MediaError;
use crate::attachments::ProcessedVoice;

const SAMPLE_BYTES: usize = 2;
const PCM: u16 = 1;

pub(super) fn rewrite(bytes: &[u8], max_ms: u32) -> Result<ProcessedVoice, MediaError> {
    let (format, data) = read(bytes).ok_or(MediaError::Undecodable)?;
    let fits = format.tag == PCM && format.bits == 16 && (1..=2).contains(&format.channels) && (8_000..=48_000).contains(&format.rate);
    if !fits {
        return Err(MediaError::UnsupportedCodec);
    }
    let channels = usize::from(format.channels);
    let frames = data.len() / (SAMPLE_BYTES * channels);
    let samples = &data[..frames * SAMPLE_BYTES * channels];
    let mut length = Length::new(format.rate, max_ms);
    length.add(frames as u64)?;
    let duration_ms = length.ms(0);
    if duration_ms == 0 {
        return Err(MediaError::Undecodable);
    }
    let bytes = [&header(format.rate, channels, samples.len())?[..], samples].concat();
    Ok(ProcessedVoice { mime: "audio/wav", bytes: bytes.into(), duration_ms })
}

struct PcmFormat {
    tag: u16,
    channels: u16,
    rate: u32,
    bits: u16,
}

/// The format and the samples; other chunks are passed over, a cut-off data chunk ends where the file ends.
fn read(bytes: &[u8]) -> Option<(PcmFormat, &[u8])> {
    let mut rest = bytes.get(12..)?;
    let mut format = None;
    loop {
        let (name, after) = rest.split_first_chunk::<4>()?;
        let (size, after) = after.split_first_chunk::<4>()?;
        let size = usize::try_from(u32::from_le_bytes(*size)).ok()?;
        match (name, format.take()) {
            (b"data", Some(format)) => return Some((format, after.get(..size).unwrap_or(after))),
            (b"fmt ", _) => format = Some(PcmFormat::read(after.get(..size)?)?),
            (_, kept) => format = kept,
        }
        rest = after.get(size.checked_add(size % 2)?..)?;
    }
}

impl PcmFormat {
    fn read(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        let rate = u32::from_le_bytes(*bytes.get(4..)?.first_chunk()?);
        Some(Self { tag: word(0)?, channels: word(2)?, rate, bits: word(14)? })
    }
}

fn header(rate: u32, channels: usize, data_bytes: usize) -> Result<Vec<u8>, MediaError> {
    let data_bytes = u32::try_from(data_bytes).map_err(|_| MediaError::Undecodable)?;
    let frame_bytes = u16::try_from(SAMPLE_BYTES * channels).map_err(|_| MediaError::Undecodable)?;
    let channels = u16::try_from(channels).map_err(|_| MediaError::Undecodable)?;
    let mut header = b"RIFF".to_vec();
    header.extend((data_bytes.saturating_add(36)).to_le_bytes());
    header.extend(b"WAVEfmt ");
    header.extend(16u32.to_le_bytes());
    header.extend(1u16.to_le_bytes()); // PCM
    header.extend(channels.to_le_bytes());
    header.extend(rate.to_le_bytes());
    header.extend((rate * u32::from(frame_bytes)).to_le_bytes());
    header.extend(frame_bytes.to_le_bytes());
    header.extend(16u16.to_le_bytes());
    header.extend(b"data");
    header.extend(data_bytes.to_le_bytes());
    Ok(header)
}
