//! Pictures: decoded under limits, turned upright, encoded again. Of the original only its pixels survive.
//!
//! Colour profiles go with the rest of the metadata: a picture in a wide colour space may look a little paler.

#[cfg(test)]
pub(crate) mod carriers;
#[cfg(test)]
mod tests;

use crate::attachments::{ProcessedImage, Rendition};
use crate::{Format, Limits, MediaError};
use image::codecs::{gif::GifDecoder, jpeg::JpegDecoder, jpeg::JpegEncoder, png::PngDecoder, png::PngEncoder, webp::WebPDecoder};
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, RgbImage};
use std::io::Cursor;

const THUMBNAIL_QUALITY: u8 = 80;

pub(crate) fn process(bytes: &[u8], format: Format, limits: &Limits) -> Result<ProcessedImage, MediaError> {
    let picture = decode(bytes, format, limits)?;
    let small = picture.thumbnail(limits.thumbnail_side_px, limits.thumbnail_side_px);
    let small = if picture.width().max(picture.height()) > limits.thumbnail_side_px { small } else { picture.clone() };
    let thumbnail = jpeg(&on_white(&small), THUMBNAIL_QUALITY)?;
    let full = if is_transparent(&picture) { png(&picture)? } else { jpeg(&picture.into_rgb8(), limits.jpeg_quality)? };
    Ok(ProcessedImage { full, thumbnail })
}

fn decode(bytes: &[u8], format: Format, limits: &Limits) -> Result<DynamicImage, MediaError> {
    let reader = Cursor::new(bytes);
    match format {
        Format::Jpeg => upright(JpegDecoder::new(reader).map_err(undecodable)?, limits),
        Format::Png => upright(PngDecoder::with_limits(reader, decoder_limits(limits)).map_err(undecodable)?, limits),
        Format::WebP => upright(WebPDecoder::new(reader).map_err(undecodable)?, limits),
        Format::Gif => upright(GifDecoder::new(reader).map_err(undecodable)?, limits),
        Format::WebM | Format::Ogg | Format::Mp4 | Format::Wav => Err(MediaError::UnknownType),
    }
}

/// The size is known from the header: nothing is allocated for a picture that is too large.
fn upright(mut decoder: impl ImageDecoder, limits: &Limits) -> Result<DynamicImage, MediaError> {
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if width.max(height) > limits.image_side_px_max || pixels > limits.image_pixels_max || decoder.total_bytes() > limits.decode_bytes_max {
        return Err(MediaError::TooManyPixels);
    }
    if pixels == 0 {
        return Err(MediaError::Undecodable);
    }
    decoder.set_limits(decoder_limits(limits)).map_err(undecodable)?;
    // A broken EXIF block costs the orientation, not the picture.
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(undecodable)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn decoder_limits(limits: &Limits) -> image::Limits {
    let mut decoder = image::Limits::default();
    decoder.max_image_width = Some(limits.image_side_px_max);
    decoder.max_image_height = Some(limits.image_side_px_max);
    decoder.max_alloc = Some(limits.decode_bytes_max);
    decoder
}

fn undecodable(error: image::ImageError) -> MediaError {
    match error {
        image::ImageError::Limits(_) => MediaError::TooManyPixels,
        _ => MediaError::Undecodable,
    }
}

fn is_transparent(picture: &DynamicImage) -> bool {
    picture.color().has_alpha() && picture.to_rgba8().pixels().any(|pixel| pixel.0[3] < u8::MAX)
}

/// A JPEG has no transparency: what shows through becomes white.
fn on_white(picture: &DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb8();
    }
    let rgba = picture.to_rgba8();
    RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [red, green, blue, alpha] = rgba.get_pixel(x, y).0.map(u16::from);
        let over = |colour: u16| u8::try_from((colour * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX);
        image::Rgb([over(red), over(green), over(blue)])
    })
}

fn jpeg(picture: &RgbImage, quality: u8) -> Result<Rendition, MediaError> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    encoder.write_image(picture, picture.width(), picture.height(), ExtendedColorType::Rgb8).map_err(undecodable)?;
    Ok(Rendition { mime: "image/jpeg", bytes: bytes.into(), width_px: picture.width(), height_px: picture.height() })
}

fn png(picture: &DynamicImage) -> Result<Rendition, MediaError> {
    let rgba = picture.to_rgba8();
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new(&mut bytes);
    encoder.write_image(&rgba, rgba.width(), rgba.height(), ExtendedColorType::Rgba8).map_err(undecodable)?;
    Ok(Rendition { mime: "image/png", bytes: bytes.into(), width_px: rgba.width(), height_px: rgba.height() })
}
