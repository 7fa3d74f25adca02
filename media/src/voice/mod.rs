//! Voice messages: the packets are taken out of their container and written into a new one, without tags and without anything else.
//!
//! What comes out plays in Chromium, Firefox and Safari (from 18.4 for Ogg): Ogg Opus, AAC as an ADTS stream, WAV. Durations are counted
//! from the packets; a header may claim what it likes.

mod aac;
mod opus;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
mod wav;

use crate::attachments::ProcessedVoice;
use crate::{Format, Limits, MediaError};
use bytes::Bytes;
use std::io::Cursor;
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::{AudioCodecParameters, well_known as codec};
use symphonia::core::errors::Error;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::packet::Packet;
use symphonia::default::formats::{IsoMp4Reader, MkvReader, OggReader};

pub(crate) fn process(bytes: Bytes, format: Format, limits: &Limits) -> Result<ProcessedVoice, MediaError> {
    if format == Format::Wav {
        return wav::rewrite(&bytes, limits.voice_ms_max);
    }
    let mut track = Track::open(bytes, format)?;
    match (format, track.parameters.codec) {
        (Format::WebM | Format::Ogg | Format::Mp4, codec::CODEC_ID_OPUS) => opus::remux(&mut track, limits.voice_ms_max),
        (Format::Mp4, codec::CODEC_ID_AAC) => aac::remux(&mut track, limits.voice_ms_max),
        _ => Err(MediaError::UnsupportedCodec),
    }
}

/// The one sound track of a file.
struct Track {
    reader: Box<dyn FormatReader>,
    id: u32,
    parameters: AudioCodecParameters,
}

impl Track {
    fn open(bytes: Bytes, format: Format) -> Result<Self, MediaError> {
        let stream = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
        let options = FormatOptions::default();
        let reader: Box<dyn FormatReader> = match format {
            Format::WebM => Box::new(MkvReader::try_new(stream, options).map_err(refused)?),
            Format::Ogg => Box::new(OggReader::try_new(stream, options).map_err(refused)?),
            Format::Mp4 => Box::new(IsoMp4Reader::try_new(stream, options).map_err(refused)?),
            Format::Wav | Format::Jpeg | Format::Png | Format::WebP | Format::Gif => return Err(MediaError::UnknownType),
        };
        // A film, or a second speaker hidden behind the first, is no voice message.
        if reader.tracks().len() != 1 {
            return Err(MediaError::UnsupportedCodec);
        }
        let track = reader.first_track(TrackType::Audio).ok_or(MediaError::UnsupportedCodec)?;
        let Some(CodecParameters::Audio(parameters)) = &track.codec_params else { return Err(MediaError::UnsupportedCodec) };
        let (id, parameters) = (track.id, parameters.clone());
        Ok(Self { reader, id, parameters })
    }

    fn next(&mut self) -> Result<Option<Packet>, MediaError> {
        loop {
            match self.reader.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.id => return Ok(Some(packet)),
                Ok(Some(_)) => {}
                Ok(None) => return Ok(None),
                // A recording that was cut off ends where it ends.
                Err(Error::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
                Err(error) => return Err(refused(error)),
            }
        }
    }
}

fn refused(error: Error) -> MediaError {
    match error {
        Error::Unsupported(_) => MediaError::UnsupportedCodec,
        _ => MediaError::Undecodable,
    }
}

/// Adds up samples and refuses as soon as they are too many.
struct Length {
    samples: u64,
    rate: u64,
    max_ms: u32,
}

impl Length {
    fn new(rate: u32, max_ms: u32) -> Self {
        Self { samples: 0, rate: u64::from(rate.max(1)), max_ms }
    }

    fn add(&mut self, samples: u64) -> Result<(), MediaError> {
        self.samples = self.samples.saturating_add(samples);
        if self.ms(0) > self.max_ms { Err(MediaError::TooLong { max_ms: self.max_ms }) } else { Ok(()) }
    }

    fn ms(&self, skipped: u64) -> u32 {
        u32::try_from(self.samples.saturating_sub(skipped).saturating_mul(1000) / self.rate).unwrap_or(u32::MAX)
    }
}
