//! Voice clips: 16-bit PCM in a RIFF file, 16 kHz mono, as a simple recorder writes it; 60 s are 1.9 MB.

use crate::seed::Seeded;

pub(super) const MIME: &str = "audio/wav";
const SAMPLES_PER_S: u32 = 16_000;
const HEADER_BYTES: usize = 44;

/// Noise around a tone, so that nothing compresses and no two clips are alike.
pub(super) fn wav(ms: u32, dice: &mut Seeded) -> Vec<u8> {
    let samples = SAMPLES_PER_S / 1000 * ms;
    let data_bytes = samples * 2;
    let mut bytes = Vec::with_capacity(HEADER_BYTES + data_bytes as usize);
    bytes.extend(b"RIFF");
    bytes.extend((36 + data_bytes).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16_u32.to_le_bytes());
    bytes.extend([1, 0, 1, 0]); // PCM, mono
    bytes.extend(SAMPLES_PER_S.to_le_bytes());
    bytes.extend((SAMPLES_PER_S * 2).to_le_bytes());
    bytes.extend([2, 0, 16, 0]);
    bytes.extend(b"data");
    bytes.extend(data_bytes.to_le_bytes());
    let mut noise = 0;
    for sample in 0..samples {
        if sample % 8 == 0 {
            noise = dice.next_u64();
        }
        let tone = f64::from(sample) * 440.0 * std::f64::consts::TAU / f64::from(SAMPLES_PER_S);
        let value = (tone.sin() * 8000.0) as i16 + i16::from((noise >> (sample % 8 * 8)) as i8);
        bytes.extend(value.to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_is_as_long_as_its_header_says() {
        let clip = wav(1500, &mut Seeded::new(1, "clip"));
        assert_eq!(clip.len(), HEADER_BYTES + 48_000);
        assert_eq!(u32::from_le_bytes(clip[40..44].try_into().expect("four bytes")), 48_000);
        assert_ne!(clip, wav(1500, &mut Seeded::new(2, "clip")));
    }
}
