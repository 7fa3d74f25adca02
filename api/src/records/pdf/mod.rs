//! The issued record as PDF: what is on the paper and how it is broken into lines and pages.
//!
//! A document is drawn only if every character has a glyph: a box in place of a digit or of a unit can kill,
//! and a text extractor would still print the right character. Never reads a clock: the caller says when it was issued.

mod fonts;
mod layout;
mod lines;
mod page;

#[cfg(test)]
mod tests;

use chat::ids::Timestamp;
use krilla::metadata::{DateTime, Metadata};
use std::fmt;

pub use fonts::Fonts;

/// Why no document was issued.
#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    #[error("no font has a glyph for U+{:04X}", *character as u32)]
    MissingGlyph { character: char },
    #[error("reading the fallback font")]
    FallbackFont(#[source] std::io::Error),
    #[error("{0} is not a usable font")]
    BadFont(&'static str),
    #[error("writing the document")]
    Write(#[source] Box<krilla::error::KrillaError>),
}

/// Everything that stands on the paper, as text in reading order (REC-01, REC-02, REC-04).
#[derive(Clone)]
pub struct RecordDocument {
    pub hospital: String,
    /// 复诊病历 or 健康咨询记录.
    pub title: String,
    pub order_no: String,
    /// Patient, department, times: pairs of a label and a value, two to a row.
    pub facts: Vec<Fact>,
    pub sections: Vec<Section>,
    /// Doctor's name with title, as signed.
    pub doctor: String,
    pub signed_at: Timestamp,
    /// Shown shortened, so that paper and stored record can be matched.
    pub content_hash: String,
    pub issue: Issue,
}

/// For whom this copy was made, and when: its visible watermark (U-15).
#[derive(Clone)]
pub struct Issue {
    pub viewer: String,
    pub at: Timestamp,
}

#[derive(Clone)]
pub struct Fact {
    pub label: String,
    pub value: String,
}

#[derive(Clone)]
pub struct Section {
    pub heading: String,
    /// Paragraphs are separated by line feeds.
    pub text: String,
}

impl fmt::Debug for RecordDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordDocument").field("order_no", &self.order_no).field("text", &"***").finish_non_exhaustive()
    }
}

impl fmt::Debug for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issue").field("viewer", &"***").field("at", &self.at).finish()
    }
}

impl fmt::Debug for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fact").field("label", &self.label).field("value", &"***").finish()
    }
}

impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Section").field("heading", &self.heading).field("text", &"***").finish()
    }
}

/// Draws with the built-in font alone.
pub fn render(document: &RecordDocument) -> Result<Vec<u8>, PdfError> {
    render_with(document, Fonts::embedded())
}

/// Draws with the built-in font and the configured fallback behind it. Pure computation: 2–3 ms a page, so call it off the async threads.
pub fn render_with(document: &RecordDocument, fonts: &Fonts) -> Result<Vec<u8>, PdfError> {
    let pages = layout::lay_out(document, fonts)?;
    let mut pdf = krilla::Document::new();
    pdf.set_metadata(metadata(document));
    page::draw_all(&mut pdf, document, &pages, fonts)?;
    pdf.finish().map_err(|error| PdfError::Write(Box::new(error)))
}

/// The first character that could not be printed, so that a draft is refused while the doctor can still change it.
pub fn find_unprintable(text: &str, fonts: &Fonts) -> Option<char> {
    lines::clean(text).chars().find(|c| *c != '\n' && fonts.glyph(*c).is_err())
}

/// `2026-03-05 09:07` in Asia/Shanghai, which has kept UTC+8 all year since 1991.
pub fn shanghai_time(at: Timestamp) -> String {
    let local = shanghai(at);
    format!("{:04}-{:02}-{:02} {:02}:{:02}", local.year(), u8::from(local.month()), local.day(), local.hour(), local.minute())
}

fn shanghai(at: Timestamp) -> time::OffsetDateTime {
    let utc = time::OffsetDateTime::from_unix_timestamp(at.0.div_euclid(1000)).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    utc.to_offset(time::macros::offset!(+8))
}

/// Names nobody: a document's metadata is shown by file managers and mail programs.
fn metadata(document: &RecordDocument) -> Metadata {
    let local = shanghai(document.issue.at);
    let created = DateTime::new(u16::try_from(local.year()).unwrap_or(0))
        .month(local.month().into())
        .day(local.day())
        .hour(local.hour())
        .minute(local.minute())
        .second(local.second())
        .utc_offset_hour(8);
    Metadata::new().title(format!("{} {}", document.title, document.order_no)).language("zh-CN".into()).creation_date(created)
}
