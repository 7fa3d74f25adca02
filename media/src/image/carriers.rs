//! Files that carry what must not survive: GPS in EXIF, XMP, IPTC, comments, text behind the picture. Built here, byte by byte.

use image::codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder};
use image::{ExtendedColorType, ImageEncoder, RgbaImage};

/// Stands in every carrier's metadata and must stand in nothing that is stored.
pub const CANARY: &[u8] = b"CANARY-39.9042N-116.4074E";

/// Four quarters of different colours, so that turning shows.
pub fn picture(width: u32, height: u32, alpha: u8) -> RgbaImage {
    RgbaImage::from_fn(width, height, |x, y| match (x < width / 2, y < height / 2) {
        (true, true) => image::Rgba([250, 10, 10, alpha]),
        (false, true) => image::Rgba([10, 250, 10, alpha]),
        (true, false) => image::Rgba([10, 10, 250, alpha]),
        (false, false) => image::Rgba([240, 240, 240, alpha]),
    })
}

pub fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let rgb = image::DynamicImage::ImageRgba8(picture(width, height, 255)).into_rgb8();
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 95).write_image(&rgb, width, height, ExtendedColorType::Rgb8).unwrap();
    bytes
}

pub fn png(width: u32, height: u32, alpha: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(&picture(width, height, alpha), width, height, ExtendedColorType::Rgba8).unwrap();
    bytes
}

pub fn webp(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = WebPEncoder::new_lossless(&mut bytes);
    encoder.write_image(&picture(width, height, 255), width, height, ExtendedColorType::Rgba8).unwrap();
    bytes
}

pub fn gif(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut bytes);
    encoder.encode_frame(image::Frame::new(picture(width, height, 255))).unwrap();
    encoder.encode_frame(image::Frame::new(picture(width, height, 255))).unwrap();
    drop(encoder);
    bytes
}

/// A TIFF block with the orientation and a GPS directory that holds the canary.
pub fn exif(orientation: u16) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    tiff.extend(2u16.to_le_bytes());
    tiff.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0]); // Orientation, SHORT
    tiff.extend(u32::from(orientation).to_le_bytes());
    tiff.extend([0x25, 0x88, 4, 0, 1, 0, 0, 0]); // GPSInfo, LONG
    tiff.extend(38u32.to_le_bytes());
    tiff.extend(0u32.to_le_bytes());
    tiff.extend(1u16.to_le_bytes());
    tiff.extend([0x1B, 0, 2, 0]); // GPSProcessingMethod, ASCII
    tiff.extend((CANARY.len() as u32).to_le_bytes());
    tiff.extend(56u32.to_le_bytes());
    tiff.extend(0u32.to_le_bytes());
    tiff.extend(CANARY);
    tiff
}

/// A JPEG with EXIF, XMP, IPTC, a comment and text behind its end.
pub fn laden_jpeg(width: u32, height: u32, orientation: u16) -> Vec<u8> {
    let plain = jpeg(width, height);
    let xmp = [b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>", CANARY, b"</x:xmpmeta>"].concat();
    let iptc = [b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x20", CANARY].concat();
    let mut bytes = plain[..2].to_vec();
    for (marker, content) in [(0xE1, [b"Exif\0\0", &exif(orientation)[..]].concat()), (0xE1, xmp), (0xED, iptc), (0xFE, CANARY.to_vec())] {
        bytes.extend([0xFF, marker]);
        bytes.extend(u16::try_from(content.len() + 2).unwrap().to_be_bytes());
        bytes.extend(content);
    }
    bytes.extend(&plain[2..]);
    bytes.extend([b"<script>alert(1)</script>", CANARY].concat());
    bytes
}

/// A PNG with eXIf, tEXt and iTXt chunks.
pub fn laden_png(width: u32, height: u32, alpha: u8) -> Vec<u8> {
    let plain = png(width, height, alpha);
    let header_end = 8 + 25;
    let mut bytes = plain[..header_end].to_vec();
    for (name, content) in
        [(b"eXIf", exif(1)), (b"tEXt", [b"Comment\0", CANARY].concat()), (b"iTXt", [b"XML:com.adobe.xmp\0\0\0\0\0", CANARY].concat())]
    {
        bytes.extend(chunk(name, &content));
    }
    bytes.extend(&plain[header_end..]);
    bytes
}

/// Header of a PNG that claims this size and has no pixels.
pub fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut content = width.to_be_bytes().to_vec();
    content.extend(height.to_be_bytes());
    content.extend([8, 6, 0, 0, 0]);
    [b"\x89PNG\r\n\x1a\n", &chunk(b"IHDR", &content)[..], &chunk(b"IDAT", &[0x78, 0x9C]), &chunk(b"IEND", &[])].concat()
}

fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let named = [name, content].concat();
    [&u32::try_from(content.len()).unwrap().to_be_bytes()[..], &named, &crc32(&named).to_be_bytes()].concat()
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

pub fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
