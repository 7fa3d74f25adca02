//! Files nobody should take, and the words with which they have to be refused.

use super::picture;
use crate::seed::Seeded;

#[derive(Clone, Debug)]
pub(super) struct Hostile {
    pub name: &'static str,
    pub kind: &'static str,
    pub mime: &'static str,
    pub bytes: Vec<u8>,
    /// Any of these is right.
    pub refusals: &'static [&'static str],
}

pub(super) fn all(dice: &mut Seeded) -> Vec<Hostile> {
    let whole = picture::png(30_000, dice);
    let image = |name, mime, bytes, refusals| Hostile { name, kind: "image", mime, bytes, refusals };
    vec![
        image("wrong_type", "image/png", picture::jpeg(30_000, dice).bytes, &["attachment_type_mismatch"]),
        image("no_picture", "image/jpeg", b"<html><script>alert(1)</script></html>".to_vec(), &["unsupported_media_type"]),
        image("truncated", "image/png", whole.bytes[..whole.bytes.len() / 2].to_vec(), &["attachment_undecodable"]),
        // 65,500 x 65,500 pixels, twelve gigabytes, in a hundred bytes.
        image("bomb_header", "image/png", picture::png_of(65_500, 65_500, &[0; 16]), &["attachment_too_many_pixels"]),
        // A script to one reader and a picture to another.
        image(
            "polyglot",
            "image/gif",
            b"GIF89a/*\x00\x00\x00\x00\x00*/=alert(document.cookie);//".to_vec(),
            &["attachment_undecodable", "attachment_too_many_pixels"],
        ),
        Hostile {
            name: "voice_that_is_none",
            kind: "voice",
            mime: "audio/wav",
            bytes: whole.bytes,
            refusals: &["unsupported_media_type", "attachment_type_mismatch"],
        },
        Hostile { name: "endless_voice", kind: "voice", mime: "audio/wav", bytes: eight_kilohertz(90), refusals: &["attachment_too_long"] },
    ]
}

/// A clip longer than a minute that is still small enough.
fn eight_kilohertz(seconds: u32) -> Vec<u8> {
    let mut bytes = super::clip::wav(seconds * 500, &mut Seeded::new(0, "endless"));
    // Half the samples a second: the same bytes take twice as long.
    bytes[24..28].copy_from_slice(&8_000_u32.to_le_bytes());
    bytes[28..32].copy_from_slice(&16_000_u32.to_le_bytes());
    bytes
}
