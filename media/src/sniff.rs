//! What the bytes are, told from the bytes. The declared type must name the same format; a file name is never looked at.

use crate::MediaError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Jpeg,
    Png,
    WebP,
    Gif,
    /// Chromium's and Firefox's recorder.
    WebM,
    Ogg,
    /// Safari's recorder.
    Mp4,
    Wav,
}

impl Format {
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xFF, 0xD8, 0xFF, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [0x1A, 0x45, 0xDF, 0xA3, ..] => Some(Self::WebM),
            [b'O', b'g', b'g', b'S', ..] => Some(Self::Ogg),
            [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some(Self::Mp4),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Some(Self::Wav),
            _ => None,
        }
    }

    pub fn is_image(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png | Self::WebP | Self::Gif)
    }

    /// Parameters of the type (`;codecs=opus`) are ignored; a browser that declares nothing says `application/octet-stream`.
    fn is_called(self, declared: &str) -> bool {
        let essence = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let names: &[&str] = match self {
            Self::Jpeg => &["image/jpeg", "image/jpg", "image/pjpeg"],
            Self::Png => &["image/png", "image/apng"],
            Self::WebP => &["image/webp"],
            Self::Gif => &["image/gif"],
            Self::WebM => &["audio/webm", "video/webm"],
            Self::Ogg => &["audio/ogg", "application/ogg", "audio/opus"],
            Self::Mp4 => &["audio/mp4", "video/mp4", "audio/x-m4a", "audio/m4a", "audio/aac"],
            Self::Wav => &["audio/wav", "audio/wave", "audio/x-wav", "audio/vnd.wave"],
        };
        names.contains(&essence.as_str())
    }
}

/// The format, if it is a picture (or a voice message) and the client calls it by one of its names.
pub(crate) fn agreed(bytes: &[u8], declared: &str, image: bool) -> Result<Format, MediaError> {
    if bytes.is_empty() {
        return Err(MediaError::Empty);
    }
    let format = Format::of(bytes).filter(|format| format.is_image() == image).ok_or(MediaError::UnknownType)?;
    if format.is_called(declared) { Ok(format) } else { Err(MediaError::TypeMismatch) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_decide_and_the_declaration_has_to_agree() {
        let png = b"\x89PNG\r\n\x1a\nrest";
        assert!(matches!(agreed(png, "image/png", true), Ok(Format::Png)));
        assert!(matches!(agreed(png, "IMAGE/PNG; x=y", true), Ok(Format::Png)));
        assert!(matches!(agreed(png, "image/jpeg", true), Err(MediaError::TypeMismatch)));
        assert!(matches!(agreed(png, "text/html", true), Err(MediaError::TypeMismatch)));
        assert!(matches!(agreed(png, "audio/ogg", false), Err(MediaError::UnknownType)), "a picture is no voice message");
        assert!(matches!(agreed(b"", "image/png", true), Err(MediaError::Empty)));
    }

    #[test]
    fn documents_are_neither() {
        for text in ["<svg xmlns='http://www.w3.org/2000/svg'/>", "<!doctype html>", "%PDF-1.7", "PK\u{3}\u{4}", "BM....", "GIF89"] {
            assert_eq!(Format::of(text.as_bytes()), None, "{text}");
        }
    }
}
