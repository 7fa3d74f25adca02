//! Voice: what browsers record is accepted and written anew; durations are measured; disguises are refused.

use super::samples::*;
use super::*;
use crate::mutants::Mutants;

const SEED: u64 = 43;

fn accept(bytes: &[u8]) -> Result<ProcessedVoice, MediaError> {
    let format = Format::of(bytes).ok_or(MediaError::UnknownType)?;
    process(Bytes::copy_from_slice(bytes), format, &Limits::default())
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn what_chromium_records_becomes_ogg_and_stays_itself_when_sent_again() {
    for recorded in [CHROMIUM_WEBM, CHROMIUM_MP4] {
        let made = accept(recorded).unwrap();
        assert_eq!(made.mime, "audio/ogg");
        assert!((900..1_700).contains(&made.duration_ms), "{} ms", made.duration_ms);
        assert!(!contains(&made.bytes, b"Chrome") && !contains(&made.bytes, b"webm"));
        assert_eq!(accept(&made.bytes).unwrap(), made, "remuxing is stable");
    }
}

#[test]
fn tags_do_not_survive_and_the_duration_is_that_of_the_packets() {
    let made = accept(&ogg(OPUS_HEAD, b"LOCATION=39.9042N", 100)).unwrap();
    assert!(!contains(&made.bytes, b"LOCATION"));
    assert_eq!(made.duration_ms, 2_000 - 312 * 1_000 / 48_000 - 1, "100 packets of 20 ms less the pre-skip, rounded down");
    let made = accept(&wav(16_000, 1, 16, 16_000)).unwrap();
    assert_eq!((made.mime, made.duration_ms, made.bytes.len()), ("audio/wav", 1_000, 44 + 32_000));
    assert!(!contains(&made.bytes, b"Anna"));
}

#[test]
fn what_safari_records_becomes_an_adts_stream() {
    let made = accept(&mp4_aac([0x12, 0x08], 100, 100 * 1_024)).unwrap();
    assert_eq!((made.mime, made.duration_ms), ("audio/aac", 100 * 1_024 * 1_000 / 44_100));
    assert!(made.bytes.chunks(13).all(|frame| frame[..2] == [0xFF, 0xF1]));
}

#[test]
fn a_header_that_claims_a_day_changes_nothing() {
    let made = accept(&mp4_aac([0x12, 0x08], 50, 44_100 * 86_400)).unwrap();
    assert_eq!(made.duration_ms, 50 * 1_024 * 1_000 / 44_100);
}

#[test]
fn too_long_is_refused_by_what_is_there() {
    assert!(accept(&ogg(OPUS_HEAD, b"", 3_000)).is_ok(), "60 s");
    assert!(matches!(accept(&ogg(OPUS_HEAD, b"", 3_100)), Err(MediaError::TooLong { .. })));
    assert!(matches!(accept(&wav(8_000, 1, 16, 8_000 * 62)), Err(MediaError::TooLong { .. })));
}

#[test]
fn other_codecs_and_shapes_are_refused() {
    let vorbis = b"\x01vorbis\0\0\0\0\x01\x44\xAC\0\0\0\0\0\0\0\xFA\0\0\0\0\0\0\xB8\x01";
    let surround = b"OpusHead\x01\x06\x38\x01\x80\xBB\0\0\0\0\x01\x04\x02\0\x04\x01\x02\x03\x05";
    for bytes in [
        ogg(vorbis, b"", 10),
        ogg(surround, b"", 10),
        wav(96_000, 1, 16, 100),
        wav(16_000, 1, 24, 100),
        wav(16_000, 4, 16, 100),
        mp4_aac([0x2B, 0x8A], 10, 10_240),
    ] {
        assert!(matches!(accept(&bytes), Err(MediaError::UnsupportedCodec | MediaError::Undecodable)));
    }
    assert!(accept(&ogg(OPUS_HEAD, b"", 0)).is_err(), "no packets");
    assert!(accept(b"OggS").is_err());
    assert!(accept(&CHROMIUM_WEBM[..64]).is_err());
}

#[test]
fn mutated_recordings_never_panic() {
    let mut mutants = Mutants::of(SEED);
    let corpus = [
        CHROMIUM_WEBM.to_vec(),
        CHROMIUM_MP4.to_vec(),
        ogg(OPUS_HEAD, b"A=B", 20),
        wav(8_000, 1, 16, 200),
        mp4_aac([0x12, 0x08], 20, 20_480),
    ];
    let mut passed = 0;
    for round in 0..10_000 {
        let bytes = mutants.damage(&corpus[round % corpus.len()]);
        passed += usize::from(accept(&bytes).is_ok());
    }
    assert!(passed > 100, "seed {SEED}: mutants died at the door, nothing was read");
}
