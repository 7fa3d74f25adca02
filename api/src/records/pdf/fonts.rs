//! Which face draws a character, and how wide it is. The built-in subset comes first, a configured full font behind it.
//! Owns the one rule of this folder: glyph 0, the box, is never drawn.

use super::PdfError;
use krilla::text::Font;
use skrifa::{FontRef, MetadataProvider, instance::LocationRef, prelude::Size};
use std::collections::HashMap;
use std::path::Path;
use std::sync::OnceLock;

/// Made by `api/assets/fonts/subset.sh`.
static SUBSET: &[u8] = include_bytes!("../../../assets/fonts/NotoSansSC-Regular.subset.ttf");

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Glyph {
    /// Index into the faces, in order of preference.
    pub face: usize,
    pub id: u32,
    /// In em.
    pub advance_em: f32,
}

/// The faces that documents are drawn with.
pub struct Fonts {
    faces: Vec<Font>,
    glyphs: HashMap<char, Glyph>,
}

impl std::fmt::Debug for Fonts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fonts").field("faces", &self.faces.len()).field("characters", &self.glyphs.len()).finish()
    }
}

impl Fonts {
    /// GB2312, Latin, the symbols of medicine and the names that GB2312 lacks; read once, at first use.
    pub fn embedded() -> &'static Self {
        static EMBEDDED: OnceLock<Fonts> = OnceLock::new();
        EMBEDDED.get_or_init(|| {
            let mut fonts = Self { faces: Vec::new(), glyphs: HashMap::new() };
            fonts.add(SUBSET.to_vec(), "the built-in font").expect("the built-in font is checked by this folder's tests");
            fonts
        })
    }

    /// The built-in subset, then a whole font (TrueType or OpenType) for the characters it lacks.
    pub fn with_fallback(path: &Path) -> Result<Self, PdfError> {
        let mut fonts = Self { faces: Vec::new(), glyphs: HashMap::new() };
        fonts.add(SUBSET.to_vec(), "the built-in font")?;
        fonts.add(std::fs::read(path).map_err(PdfError::FallbackFont)?, "the fallback font")?;
        Ok(fonts)
    }

    pub(super) fn glyph(&self, character: char) -> Result<Glyph, PdfError> {
        self.glyphs.get(&character).copied().ok_or(PdfError::MissingGlyph { character })
    }

    pub(super) fn face(&self, index: usize) -> Font {
        self.faces[index].clone()
    }

    fn add(&mut self, bytes: Vec<u8>, name: &'static str) -> Result<(), PdfError> {
        let face = self.faces.len();
        let reader = FontRef::new(&bytes).map_err(|_| PdfError::BadFont(name))?;
        let metrics = reader.glyph_metrics(Size::new(1.0), LocationRef::default());
        for (code, id) in reader.charmap().mappings() {
            // A map entry may itself point at the box.
            let Some(character) = char::from_u32(code).filter(|_| id.to_u32() != 0) else { continue };
            let advance_em = metrics.advance_width(id).ok_or(PdfError::BadFont(name))?;
            self.glyphs.entry(character).or_insert(Glyph { face, id: id.to_u32(), advance_em });
        }
        self.faces.push(Font::new(bytes.into(), 0).ok_or(PdfError::BadFont(name))?);
        Ok(())
    }
}
