//! AAC-LC frames out of MP4 into an ADTS stream (ISO/IEC 13818-7, annex): each frame gets its seven bytes of header, nothing else is kept.
//!
//! Every frame is decoded once, so that what is stored is sound and not a disguise.

use super::{Length, Track, refused};
use crate::MediaError;
use crate::attachments::ProcessedVoice;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::default::codecs::AacDecoder;

const FRAME_SAMPLES: u64 = 1_024;
const HEADER_BYTES: usize = 7;
const FRAME_BYTES_MAX: usize = (1 << 13) - 1;
const RATES: [u32; 13] = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
const LOW_COMPLEXITY: u8 = 2;

pub(super) fn remux(track: &mut Track, max_ms: u32) -> Result<ProcessedVoice, MediaError> {
    let config = Config::read(track.parameters.extra_data.as_deref().unwrap_or_default())?;
    let mut decoder = AacDecoder::try_new(&track.parameters, &AudioDecoderOptions::default()).map_err(refused)?;
    let mut length = Length::new(RATES[usize::from(config.rate)], max_ms);
    let mut bytes = Vec::new();
    while let Some(packet) = track.next()? {
        length.add(FRAME_SAMPLES)?;
        decoder.decode(&packet).map_err(refused)?;
        bytes.extend(config.header(packet.data.len()).ok_or(MediaError::Undecodable)?);
        bytes.extend_from_slice(&packet.data);
    }
    let duration_ms = length.ms(0);
    if duration_ms == 0 {
        return Err(MediaError::Undecodable);
    }
    Ok(ProcessedVoice { mime: "audio/aac", bytes: bytes.into(), duration_ms })
}

/// AudioSpecificConfig (ISO/IEC 14496-3) as far as ADTS can say it.
struct Config {
    rate: u8,
    channels: u8,
}

impl Config {
    fn read(bytes: &[u8]) -> Result<Self, MediaError> {
        let [first, second, ..] = bytes else { return Err(MediaError::Undecodable) };
        let object = first >> 3;
        let rate = (first & 7) << 1 | second >> 7;
        let channels = second >> 3 & 15;
        let fits = object == LOW_COMPLEXITY && usize::from(rate) < RATES.len() && (1..=2).contains(&channels);
        if fits { Ok(Self { rate, channels }) } else { Err(MediaError::UnsupportedCodec) }
    }

    fn header(&self, frame_bytes: usize) -> Option<[u8; HEADER_BYTES]> {
        let whole = Some(frame_bytes + HEADER_BYTES).filter(|whole| frame_bytes > 0 && *whole <= FRAME_BYTES_MAX)?;
        let whole = u16::try_from(whole).ok()?;
        let profile = LOW_COMPLEXITY - 1;
        let [high, low] = (whole << 3).to_be_bytes();
        Some([
            0xFF,
            0xF1, // MPEG-4, no checksum
            profile << 6 | self.rate << 2 | self.channels >> 2,
            (self.channels & 3) << 6 | high >> 6,
            high << 2 | low >> 6,
            low << 2 & 0xE0 | 0x1F, // buffer fullness: variable
            0xFC,
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_says_what_the_configuration_said() {
        let config = Config::read(&[0x12, 0x08]).unwrap(); // LC, 44.1 kHz, mono
        assert_eq!((RATES[usize::from(config.rate)], config.channels), (44_100, 1));
        let header = config.header(0x155).unwrap();
        let length = u32::from(header[3] & 3) << 11 | u32::from(header[4]) << 3 | u32::from(header[5]) >> 5;
        assert_eq!(length, 0x155 + 7);
        assert_eq!((header[0], header[1] & 0xF6, header[2] >> 6, header[2] >> 2 & 15), (0xFF, 0xF0, 1, 4));
        assert_eq!((header[2] & 1) << 2 | header[3] >> 6, 1, "one channel");
        assert!(config.header(8_185).is_none() && config.header(0).is_none());
    }

    #[test]
    fn other_profiles_are_refused() {
        for config in [[0x2B, 0x8A], [0x0A, 0x08], [0x17, 0x88], [0x12, 0x38]] {
            assert!(matches!(Config::read(&config), Err(MediaError::UnsupportedCodec)), "{config:02x?}");
        }
        assert!(matches!(Config::read(&[0x12]), Err(MediaError::Undecodable)));
    }
}
