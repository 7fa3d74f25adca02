//! U-16: what is stored has no metadata, stands upright, is small enough; bombs and disguises are refused.

use super::carriers::{self, CANARY, contains, gif, laden_jpeg, laden_png, png_header, webp};
use super::*;
use crate::mutants::Mutants;
use crate::sniff;

const SEED: u64 = 41;

fn accept(bytes: &[u8]) -> Result<ProcessedImage, MediaError> {
    let format = Format::of(bytes).ok_or(MediaError::UnknownType)?;
    process(bytes, format, &Limits::default())
}

fn reread(rendition: &Rendition) -> image::RgbaImage {
    image::load_from_memory(&rendition.bytes).unwrap().into_rgba8()
}

fn is_near(pixel: &image::Rgba<u8>, wanted: [u8; 3]) -> bool {
    pixel.0.iter().zip(wanted).all(|(is, wanted)| is.abs_diff(wanted) < 40)
}

#[test]
fn u_16_no_metadata_survives_in_any_rendition() {
    for bytes in [laden_jpeg(64, 48, 1), laden_png(64, 48, 255), laden_png(64, 48, 128)] {
        assert!(contains(&bytes, CANARY), "the carrier carries nothing");
        let made = accept(&bytes).unwrap();
        for rendition in [&made.full, &made.thumbnail] {
            for trace in [CANARY, b"Exif", b"eXIf", b"tEXt", b"iTXt", b"xap", b"Photoshop", b"script", b"ICC_PROFILE", b"\xFF\xFE"] {
                assert!(!contains(&rendition.bytes, trace), "{} kept {}", rendition.mime, String::from_utf8_lossy(trace));
            }
        }
    }
}

#[test]
fn a_turned_picture_is_stored_upright() {
    // Orientation 6: the top of what is seen lies at the right edge of what is stored.
    let made = accept(&laden_jpeg(64, 48, 6)).unwrap();
    assert_eq!((made.full.width_px, made.full.height_px), (48, 64));
    let upright = reread(&made.full);
    assert!(is_near(upright.get_pixel(5, 5), [10, 10, 250]), "bottom left came to the top left");
    assert!(is_near(upright.get_pixel(42, 5), [250, 10, 10]));
}

#[test]
fn con_03_the_four_formats_become_jpeg_or_png_with_a_thumbnail() {
    let cases = [
        (carriers::jpeg(800, 600), "image/jpeg"),
        (carriers::png(800, 600, 255), "image/jpeg"),
        (carriers::png(800, 600, 90), "image/png"),
        (webp(800, 600), "image/jpeg"),
        (gif(800, 600), "image/jpeg"),
    ];
    for (bytes, mime) in cases {
        let made = accept(&bytes).unwrap();
        assert_eq!((made.full.mime, made.full.width_px, made.full.height_px), (mime, 800, 600));
        assert_eq!((made.thumbnail.mime, made.thumbnail.width_px, made.thumbnail.height_px), ("image/jpeg", 320, 240));
        assert_eq!(reread(&made.full).dimensions(), (800, 600));
    }
    let small = accept(&carriers::jpeg(40, 30)).unwrap();
    assert_eq!((small.thumbnail.width_px, small.thumbnail.height_px), (40, 30), "nothing is blown up");
    let clear = accept(&carriers::png(64, 64, 0)).unwrap();
    assert!(is_near(reread(&clear.thumbnail).get_pixel(3, 3), [255, 255, 255]), "what is transparent shows white in a thumbnail");
}

#[test]
fn bombs_are_refused_by_their_header() {
    for (width, height) in [(65_000, 65_000), (65_535, 1), (1, 65_535), (12_001, 10), (7_000, 7_000), (u32::MAX >> 1, u32::MAX >> 1)] {
        assert!(matches!(accept(&png_header(width, height)), Err(MediaError::TooManyPixels | MediaError::Undecodable)), "{width}×{height}");
    }
    assert!(matches!(accept(&png_header(65_000, 65_000)), Err(MediaError::TooManyPixels)));
    // A few kilobytes that unpack to 48 million pixels.
    let mut flood = carriers::jpeg(64, 64);
    let frame = flood.windows(2).position(|window| window == [0xFF, 0xC0]).unwrap();
    flood[frame + 5..frame + 9].copy_from_slice(&[0x1F, 0x40, 0x17, 0x70]);
    assert!(matches!(accept(&flood), Err(MediaError::TooManyPixels)));
}

#[test]
fn cut_off_and_disguised_files_are_refused_or_lose_their_disguise() {
    let bytes = carriers::png(64, 64, 255);
    for cut in [9, 20, 33, 60, bytes.len() / 2] {
        assert!(matches!(accept(&bytes[..cut]), Err(MediaError::Undecodable)), "cut at {cut}");
    }
    for text in ["<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "<html><script>1</script>", "%PDF-1.4 /JavaScript"] {
        assert!(matches!(sniff::agreed(text.as_bytes(), "image/png", true), Err(MediaError::UnknownType)));
    }
    let polyglot = [&b"GIF89a/*"[..], b"*/=1;alert(1)"].concat();
    assert!(accept(&polyglot).is_err());
}

#[test]
fn mutated_pictures_never_panic() {
    let mut mutants = Mutants::of(SEED);
    let corpus = [laden_jpeg(24, 16, 6), laden_png(24, 16, 120), webp(24, 16), gif(24, 16)];
    let limits = Limits { decode_bytes_max: 1 << 22, image_pixels_max: 1 << 18, ..Limits::default() };
    let mut passed = 0;
    for round in 0..10_000 {
        let bytes = mutants.damage(&corpus[round % corpus.len()]);
        if let Some(format) = Format::of(&bytes).filter(|format| format.is_image()) {
            passed += usize::from(process(&bytes, format, &limits).is_ok());
        }
    }
    assert!(passed > 100, "seed {SEED}: mutants died at the door, nothing was decoded");
}
