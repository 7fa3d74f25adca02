//! Sizes that are refused, most of them before anything is decoded.

use std::time::Duration;

/// The defaults are those of a consultation (CON-03, U-16).
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub image_bytes_max: usize,
    pub image_pixels_max: u64,
    pub image_side_px_max: u32,
    /// Memory one decoder may take for itself and its picture.
    pub decode_bytes_max: u64,
    pub thumbnail_side_px: u32,
    pub jpeg_quality: u8,
    pub voice_bytes_max: usize,
    pub voice_ms_max: u32,
    /// Decoders that work at the same time; others wait.
    pub workers_max: usize,
    /// From the moment the bytes are here, waiting included.
    pub timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            image_bytes_max: 10 * 1024 * 1024,
            image_pixels_max: 40_000_000,
            image_side_px_max: 12_000,
            decode_bytes_max: 192 * 1024 * 1024,
            thumbnail_side_px: 320,
            jpeg_quality: 85,
            voice_bytes_max: 2 * 1024 * 1024,
            // A recorder that stops itself at 60 s is a few packets late.
            voice_ms_max: 61_000,
            workers_max: 2,
            timeout: Duration::from_secs(20),
        }
    }
}
