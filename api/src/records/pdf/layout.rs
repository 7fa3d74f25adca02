//! Places the record's text on pages: positions in points from the top left of A4, before anything is drawn,
//! because the footer of the first page already names the number of the last.

use super::fonts::Fonts;
use super::{PdfError, RecordDocument, lines, shanghai_time};

pub(super) const WIDTH_PT: f32 = 595.0;
pub(super) const HEIGHT_PT: f32 = 842.0;
pub(super) const MARGIN_PT: f32 = 56.0;
const TOP_PT: f32 = 64.0;
const BOTTOM_PT: f32 = HEIGHT_PT - 84.0;
const COLUMN_PT: f32 = WIDTH_PT - 2.0 * MARGIN_PT;
const BODY_PT: f32 = 11.0;
const LEADING: f32 = 1.65;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Weight {
    Regular,
    /// Drawn with a thin outline: one face serves both weights.
    Bold,
}

/// A line of text with its baseline.
#[derive(Clone)]
pub(super) struct Run {
    pub x: f32,
    pub y: f32,
    pub size_pt: f32,
    pub weight: Weight,
    pub text: String,
}

#[derive(Clone, Default)]
pub(super) struct Page {
    pub runs: Vec<Run>,
    /// Heights of rules across the column.
    pub rules: Vec<f32>,
}

pub(super) fn lay_out(document: &RecordDocument, fonts: &Fonts) -> Result<Vec<Page>, PdfError> {
    let mut flow = Flow { fonts, pages: vec![Page::default()], y: TOP_PT };
    flow.centred(&document.hospital, 18.0)?;
    flow.centred(&document.title, 15.0)?;
    flow.rule();
    flow.facts(document)?;
    flow.rule();
    for section in &document.sections {
        flow.heading(&section.heading)?;
        flow.text(&section.text)?;
    }
    flow.signature(document)?;
    Ok(flow.pages)
}

/// The pen: goes down the column and over to the next page.
struct Flow<'a> {
    fonts: &'a Fonts,
    pages: Vec<Page>,
    y: f32,
}

impl Flow<'_> {
    fn page(&mut self) -> &mut Page {
        self.pages.last_mut().expect("a flow begins with one page and only adds more")
    }

    /// Opens a new page unless `height` still fits.
    fn reserve(&mut self, height: f32) {
        if self.y + height > BOTTOM_PT {
            self.pages.push(Page::default());
            self.y = TOP_PT;
        }
    }

    fn line(&mut self, x: f32, size_pt: f32, weight: Weight, text: String) {
        let height = size_pt * LEADING;
        self.reserve(height);
        let y = self.y + size_pt;
        self.page().runs.push(Run { x, y, size_pt, weight, text });
        self.y += height;
    }

    fn centred(&mut self, text: &str, size_pt: f32) -> Result<(), PdfError> {
        for line in lines::wrap(&lines::clean(text).replace('\n', " "), COLUMN_PT / size_pt, self.fonts)? {
            let width = lines::width(&line, self.fonts)? * size_pt;
            self.line((WIDTH_PT - width) / 2.0, size_pt, Weight::Bold, line);
        }
        Ok(())
    }

    fn rule(&mut self) {
        self.reserve(12.0);
        let y = self.y + 4.0;
        self.page().rules.push(y);
        self.y += 12.0;
    }

    /// Two facts to a row; one that needs more than half the column gets rows of its own.
    fn facts(&mut self, document: &RecordDocument) -> Result<(), PdfError> {
        let half = COLUMN_PT / 2.0;
        let mut left_taken = false;
        for fact in &document.facts {
            let text = lines::clean(&format!("{}：{}", fact.label, fact.value)).replace('\n', " ");
            let narrow = lines::width(&text, self.fonts)? * BODY_PT <= half - 8.0;
            if narrow && left_taken {
                self.y -= BODY_PT * LEADING;
                self.line(MARGIN_PT + half, BODY_PT, Weight::Regular, text);
                left_taken = false;
                continue;
            }
            for line in lines::wrap(&text, COLUMN_PT / BODY_PT, self.fonts)? {
                self.line(MARGIN_PT, BODY_PT, Weight::Regular, line);
            }
            left_taken = narrow;
        }
        Ok(())
    }

    /// Stays with the first two lines of what it announces.
    fn heading(&mut self, text: &str) -> Result<(), PdfError> {
        self.y += 6.0;
        self.reserve((12.5 + 2.0 * BODY_PT) * LEADING);
        for line in lines::wrap(&lines::clean(text), COLUMN_PT / 12.5, self.fonts)? {
            self.line(MARGIN_PT, 12.5, Weight::Bold, line);
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), PdfError> {
        for paragraph in lines::clean(text).split('\n') {
            for line in lines::wrap(paragraph, COLUMN_PT / BODY_PT, self.fonts)? {
                self.line(MARGIN_PT, BODY_PT, Weight::Regular, line);
            }
        }
        Ok(())
    }

    /// Kept together: a name alone on a page is a signature under nothing.
    fn signature(&mut self, document: &RecordDocument) -> Result<(), PdfError> {
        self.y += 14.0;
        self.reserve(3.0 * BODY_PT * LEADING);
        let hash: String = document.content_hash.chars().take(16).collect();
        let signed = format!("签署时间：{}（北京时间）", shanghai_time(document.signed_at));
        for text in [format!("医生：{}", document.doctor), signed, format!("内容校验：{hash}")] {
            let text = lines::clean(&text).replace('\n', " ");
            let width = lines::width(&text, self.fonts)? * BODY_PT;
            self.line((WIDTH_PT - MARGIN_PT - width).max(MARGIN_PT), BODY_PT, Weight::Regular, text);
        }
        Ok(())
    }
}
